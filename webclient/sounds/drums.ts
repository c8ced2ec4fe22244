import {
  drive,
  fading,
  filter,
  fm,
  glide,
  noise,
  pulse,
  shaped,
  sine,
  square,
  Tape,
  together,
  tone,
  triangle,
  type Wave,
} from "./dsp";

/** The drums of a kit and of a machine, each a stroke to be put where it belongs. */
export const kick = (duration = 0.3, deep = 48): Wave =>
  drive(
    together(
      tone(
        sine,
        glide([0, 210], [0.03, 95], [0.12, deep], [duration, deep * 0.9]),
        duration,
        fading(duration * 0.35),
      ),
      shaped(filter("high", noise(0.02, 5, fading(0.004)), 1500), 0.4),
    ),
    1.8,
  );

export const snare = (seed = 11, duration = 0.22): Wave =>
  together(
    tone(triangle, glide([0, 260], [0.05, 185]), duration, (t) => 0.55 * fading(0.06)(t)),
    shaped(filter("high", noise(duration, seed, fading(0.07)), 1400), 0.75),
  );

export const rim = (): Wave =>
  together(
    tone(square, 1720, 0.06, (t) => 0.5 * fading(0.008)(t)),
    tone(triangle, 480, 0.06, (t) => 0.6 * fading(0.012)(t)),
    shaped(noise(0.06, 3, fading(0.005)), 0.4),
  );

export const hat = (open = 0.035, seed = 21): Wave => {
  const duration = open * 5;
  const metal = [205, 304, 370, 523, 800, 1046].map((hz) => tone(square, hz * 8.2, duration, 0.1));
  return shaped(filter("high", together(...metal, noise(duration, seed, 0.5)), 7000), fading(open, 0.001));
};

export const clap = (seed = 31): Wave => {
  const tape = new Tape(0.25);
  for (const at of [0, 0.011, 0.023]) tape.put(at, noise(0.02, seed, fading(0.004, 0.0005)));
  return filter("band", tape.put(0.032, noise(0.2, seed + 1, fading(0.055, 0.001))).wave, 1250, 0.9);
};

export const tom = (hz: number, duration = 0.4): Wave =>
  together(
    tone(
      sine,
      glide([0, hz * 1.7], [0.06, hz * 1.05], [duration, hz * 0.92]),
      duration,
      fading(duration * 0.3),
    ),
    shaped(filter("band", noise(0.05, 8, fading(0.01)), 1200, 0.8), 0.4),
  );

export const crash = (duration = 1.4, seed = 41): Wave => {
  const metal = [317, 421, 557, 683, 911, 1237].map((hz) => fm(hz * 4.1, 1.47, 2, duration, 0.12));
  const wash = together(...metal, noise(duration, seed, 0.6));
  return shaped(
    filter("high", wash, (t) => 2500 + 1500 * fading(0.3)(t)),
    fading(duration * 0.28, 0.002),
  );
};

export const cowbell = (): Wave =>
  filter(
    "band",
    together(tone(square, 562, 0.3, fading(0.09)), tone(square, 845, 0.3, fading(0.09))),
    900,
    1.1,
  );

export const tick = (hz = 3200, seed = 51): Wave =>
  together(
    tone(pulse(0.3), hz, 0.03, (t) => 0.2 * fading(0.004)(t)),
    filter("band", noise(0.03, seed, fading(0.005, 0.0004)), hz, 1.2),
  );
