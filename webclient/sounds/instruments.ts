import {
  body,
  chorus,
  drive,
  echo,
  fading,
  fadedOut,
  filter,
  fm,
  full,
  glide,
  held,
  line,
  noise,
  pulse,
  random,
  RATE,
  saw,
  shaped,
  silence,
  sine,
  square,
  together,
  tone,
  triangle,
  vibrato,
  type Wave,
} from "./dsp";
import { say } from "./voice";

/** A struck bell: metal rings at ratios that no string has. */
export function bell(hz: number, duration: number, decay = duration / 3): Wave {
  const partials: [ratio: number, level: number, decay: number][] = [
    [0.5, 0.35, 1.3],
    [1, 1, 1],
    [1.19, 0.45, 0.8],
    [2, 0.6, 0.6],
    [2.74, 0.35, 0.4],
    [3.76, 0.25, 0.25],
    [5.4, 0.18, 0.15],
  ];
  const rings = partials.map(([ratio, level, share]) =>
    tone(sine, hz * ratio, duration, (t) => level * fading(decay * share)(t)),
  );
  const strike = fm(hz * 3.1, 1.41, fading(0.02), duration, fading(0.03));
  return shaped(together(...rings, shaped(strike, 0.4)), 0.35);
}

/** A small bright bell, as of a music box or an electric piano. */
export function chime(hz: number, duration: number): Wave {
  return together(
    fm(hz, 3.5, fading(duration * 0.2), duration, fading(duration * 0.35)),
    tone(sine, hz, duration, (t) => 0.4 * fading(duration * 0.45)(t)),
  );
}

/** A plucked string (Karplus and Strong): a burst of noise that goes round and round a little duller. */
export function pluck(hz: number, duration: number, bright = 0.5, sustain = 0.996): Wave {
  const next = random(Math.round(hz * 10));
  const period = RATE / hz - 0.5;
  const share = period - Math.ceil(period) + 1;
  const ring = new Float64Array(Math.ceil(period));
  let soft = 0;
  for (let i = 0; i < ring.length; i++) ring[i] = soft += (next() * 2 - 1 - soft) * bright;
  const out = silence(duration);
  let [read, last] = [0, 0];
  for (let i = 0; i < out.length; i++) {
    const heard = ring[read]! * share + ring[(read + 1) % ring.length]! * (1 - share);
    const damped = (heard + last) * 0.5 * sustain;
    last = heard;
    ring[read] = damped;
    read = (read + 1) % ring.length;
    out[i] = heard;
  }
  return fadedOut(out, Math.min(0.03, duration / 3));
}

/** Trumpets and trombones: the louder, the brighter; a scoop into the note. */
export function brass(hz: number, duration: number, bright = 1, mute = 0): Wave {
  const loud = held(duration, 0.035, 0.06);
  const pitch = vibrato((t) => hz * (t < 0.05 ? 0.975 + t * 0.5 : 1), 5.2, 0.006, 0.25);
  const players = [1, 1.004, 0.997].map((off, n) =>
    tone(saw, (t) => pitch(t) * off, duration, 0.33, n * 0.3),
  );
  const open = filter(
    "low",
    together(...players),
    (t) => hz * (1 + 6 * bright * loud(t) * (1 + fading(0.08)(t))),
    0.9,
  );
  const bore = body(open, 0.8, [800, 1.5, 0.4], [1500, 2, 0.3]);
  return shaped(mute ? body(bore, 0.25, [1200, 4, 1.2], [2600, 3, 0.7]) : bore, loud);
}

/** A section of strings, or a warm pad. */
export function strings(hz: number, duration: number, attack = 0.08, bright = 2500): Wave {
  const players = [0.994, 0.998, 1, 1.003, 1.007].map((off, n) =>
    tone(saw, vibrato(hz * off, 4.7 + n * 0.35, 0.005, 0.1), duration, 0.2, n * 0.21),
  );
  return shaped(
    filter("low", together(...players), bright),
    held(duration, attack, Math.min(0.15, duration / 3)),
  );
}

/** A fiddle: rosin on the bow, a wooden body. */
export function fiddle(hz: number, duration: number): Wave {
  const string = tone(saw, vibrato(hz, 6, 0.007, 0.12), duration);
  const bow = filter(
    "band",
    noise(duration, Math.round(hz), (t) => 0.25 * (0.3 + fading(0.03)(t))),
    3200,
    1,
  );
  const wood = body(
    together(string, bow),
    0.25,
    [280, 4, 0.6],
    [460, 5, 0.7],
    [1100, 2, 0.5],
    [2700, 1.5, 0.5],
  );
  return shaped(wood, (t) => held(duration, 0.018, 0.03)(t) * (0.75 + 0.25 * fading(0.1)(t)));
}

/** A saxophone: a reed that leans into its notes, breath around it. */
export function saxophone(hz: number, duration: number): Wave {
  const loud = held(duration, 0.05, 0.09);
  const pitch = vibrato(glide([0, hz * 0.955], [0.07, hz]), 5, 0.014, 0.22);
  const reed = together(tone(pulse(0.28), pitch, duration, 0.5), tone(saw, pitch, duration, 0.5));
  const growl = (t: number) => 1 + 0.12 * Math.sin(2 * Math.PI * 31 * t) * fading(0.3)(t);
  const bore = body(
    filter("low", shaped(reed, growl), (t) => 900 + 2600 * loud(t), 0.8),
    0.5,
    [620, 3, 0.6],
    [1250, 3.5, 0.55],
    [2300, 4, 0.3],
  );
  const air = filter("band", noise(duration, Math.round(hz * 3), 0.16), 3600, 0.8);
  return shaped(together(bore, air), loud);
}

/** A fairground organ: pipes with wind in them. */
export function calliope(hz: number, duration: number): Wave {
  const pitch = vibrato(hz, 6.5, 0.006, 0);
  const pipe = [1, 2, 3, 4].map((n) =>
    tone(sine, (t) => pitch(t) * n, duration, [0.7, 0.28, 0.16, 0.07][n - 1]),
  );
  const wind = filter(
    "band",
    noise(duration, Math.round(hz * 7), (t) => 0.06 + 0.4 * fading(0.025)(t)),
    hz * 2,
    3,
  );
  return shaped(together(...pipe, wind), held(duration, 0.02, 0.03));
}

/** A games console's voice. */
export function chip(hz: number, duration: number, width = 0.25): Wave {
  return shaped(
    tone(pulse(width), hz, duration, 0.5),
    (t) => held(duration, 0.002, 0.01)(t) * (0.6 + 0.4 * fading(0.08)(t)),
  );
}

/** A tuba: round, a little late, never in a hurry. */
export function tuba(hz: number, duration: number): Wave {
  const loud = (t: number) => held(duration, 0.03, 0.05)(t) * (0.5 + 0.5 * fading(0.16)(t));
  const tube = filter(
    "low",
    tone(saw, (t) => hz * (1 - 0.03 * fading(0.03)(t)), duration),
    (t) => 160 + 650 * loud(t),
    1.1,
  );
  return shaped(together(tube, tone(sine, hz, duration, 0.4)), loud);
}

/** A synthesiser's bass, its filter snapping shut. */
export function synthBass(hz: number, duration: number, snap = 2200): Wave {
  const raw = together(
    tone(saw, hz, duration, 0.6),
    tone(square, hz * 1.006, duration, 0.35),
    tone(sine, hz / 2, duration, 0.4),
  );
  return shaped(
    filter("low", raw, (t) => 120 + snap * fading(0.09)(t), 2.2),
    held(duration, 0.004, 0.02),
  );
}

/** A finger on a bass string, slapped. */
export function slapBass(hz: number, duration: number): Wave {
  const string = pluck(hz, duration, 0.8, 0.995);
  const slap = filter("high", noise(duration, Math.round(hz), fading(0.006)), 2500);
  return together(
    filter("low", string, (t) => 400 + 3500 * fading(0.06)(t)),
    shaped(slap, 0.4),
    tone(sine, hz, duration, (t) => 0.4 * fading(0.2)(t)),
  );
}

/** An electric guitar through a driven amplifier: root, fifth and octave at once unless told otherwise. */
export function guitar(hz: number, duration: number, ratios = [1, 1.498, 2], amount = 6): Wave {
  const picked = ratios.map((ratio, n) => pluck(hz * ratio * (1 + n * 0.0007), duration, 0.6, 0.9985));
  const sung = ratios.map((ratio) =>
    tone(saw, hz * ratio, duration, (t) => 0.18 * held(duration, 0.01, 0.04)(t)),
  );
  const driven = drive(filter("high", together(...picked, ...sung), 90), amount);
  const cabinet = filter(
    "low",
    filter("low", body(driven, 0.8, [420, 1.2, 0.3], [2400, 1.5, 0.5]), 4200),
    5200,
  );
  return shaped(cabinet, held(duration, 0.003, 0.03));
}

/** One string of that guitar, bent into its note. */
export function lead(hz: number, duration: number): Wave {
  const pitch = vibrato(glide([0, hz * 0.96], [0.06, hz]), 6, 0.012, 0.2);
  const string = drive(tone(saw, pitch, duration, 0.8), 4);
  return shaped(
    filter("low", body(string, 0.5, [1100, 1.5, 0.6], [2500, 2, 0.4]), 4500),
    held(duration, 0.006, 0.04),
  );
}

/** A choir on one vowel. */
export function choir(hz: number, duration: number, vowel = "a", size = 0.9): Wave {
  const ms = Math.round(duration * 1000);
  const singers = [0.993, 1, 1.006].map((off, n) =>
    say(`${vowel}${ms}`, {
      pitch: vibrato(hz * off, 5 + n * 0.4, 0.01, 0.1),
      size: size + n * 0.03,
      press: 0.4,
      breath: 0.1,
      seed: n + 3,
    }),
  );
  return shaped(full(together(...singers)), held(duration, 0.06, 0.1));
}

/** A stage's worth of people cheering. */
export function cheering(duration: number, seed: number, people = 14): Wave {
  const next = random(seed);
  const crowd = [...Array(people).keys()].map((n) => {
    const base = 140 + next() * 260;
    const start = next() * 0.3;
    const rise = 1.1 + next() * 0.5;
    const pitch = glide([start, base], [start + 0.4, base * rise], [duration, base * 0.9]);
    const ms = Math.round(duration * 1000);
    const vowel = ["a", "ae", "e", "o"][n % 4]!;
    const call = say(`h40 ${vowel}${ms - 40}`, {
      pitch,
      size: 0.75 + next() * 0.3,
      rough: 0.04,
      breath: 0.3,
      press: 0.7,
      seed: n,
    });
    return shaped(
      full(call),
      (t) => 0.35 * line([start, 0], [start + 0.15, 1], [duration * 0.6, 0.8], [duration, 0])(t),
    );
  });
  const roar = filter("band", noise(duration, seed + 1, held(duration, 0.2, 0.4)), 1300, 0.6);
  return together(...crowd, shaped(roar, 0.8));
}

/** Hands, many of them. */
export function applause(duration: number, seed: number, perSecond = 60): Wave {
  const next = random(seed);
  const out = silence(duration);
  for (let n = 0; n < duration * perSecond; n++) {
    const start = Math.floor(next() * out.length);
    const clap = filter("band", noise(0.04, seed + n, fading(0.007, 0.0005)), 900 + next() * 1500, 1.5);
    const loud = 0.3 + next() * 0.7;
    for (let i = 0; i < clap.length && start + i < out.length; i++) out[start + i]! += clap[i]! * loud;
  }
  return shaped(out, held(duration, 0.08, 0.3));
}

/** A whistle that slides. */
export function slide(from: number, to: number, duration: number): Wave {
  const pitch = vibrato(glide([0, from], [duration, to]), 7, 0.008, 0);
  const wind = filter("band", noise(duration, Math.round(from), 0.15), (t) => pitch(t), 8);
  return shaped(
    together(
      tone(sine, pitch, duration, 0.8),
      tone(triangle, (t) => pitch(t) * 2, duration, 0.08),
      wind,
    ),
    held(duration, 0.02, 0.04),
  );
}

/** A chord hit by a whole orchestra. */
export function orchestra(notes: readonly number[], duration: number): Wave {
  const loud = (t: number) => held(duration, 0.008, 0.08)(t) * (0.35 + 0.65 * fading(0.12)(t));
  const tutti = notes.flatMap((hz) => [
    brass(hz, duration, 1.3),
    strings(hz * 2, duration, 0.01, 5000),
    strings(hz, duration, 0.01),
  ]);
  return shaped(chorus(together(...tutti)), loud);
}

/** A voice over the radio: no depth, no height, too loud. */
export function radio(wave: Wave, seed: number): Wave {
  const hiss = noise(wave.length / RATE, seed, 0.03);
  const narrow = filter("high", filter("low", together(full(wave), hiss), 2600, 0.9), 500, 0.9);
  return filter("low", drive(filter("high", narrow, 420), 5), 3300);
}

/** Between mountains. */
export function mountains(wave: Wave): Wave {
  return echo(wave, 0.31, 0.42, 0.9, 2400);
}
