const names = new Set(
  (
    "56k ballmer bell bezos bueller butts clowntown cottoneyejoe crickets curb dadgummit dangerzone danielsan deeper " +
    "donotwant drama flawless glados gogogo greatjob greyjoy guarantee heygirl honk horn horror incoming inconceivable " +
    "letitgo live loggins makeitso mario_coin maybe noooo nyan ohmy ohyeah pushit rimshot rollout rumble sax secret " +
    "sexyback story tada tmyk totes trololo trombone unix vuvuzela what whoomp wups yay yeah yodel"
  ).split(" "),
);

/** The sound a text asks for: "/play", a name that is known, and nothing else. */
export function soundAskedFor(text: string): string | undefined {
  const name = /^\/play (\w+)$/.exec(text)?.[1];
  return name !== undefined && names.has(name) ? name : undefined;
}
