const shortTime = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const longDate = new Intl.DateTimeFormat(undefined, { dateStyle: "long" });
const both = new Intl.DateTimeFormat(undefined, { dateStyle: "short", timeStyle: "short" });

/** The time of day, as "9:29 AM" where that is the custom. */
export function TimeOfDay({ ms }: { ms: number }) {
  return (
    <time className="message__timestamp" dateTime={iso(ms)} title={both.format(ms)}>
      {shortTime.format(ms)}
    </time>
  );
}

/** The date in full, as "January 24, 2024". */
export function LongDate({ ms }: { ms: number }) {
  return (
    <time dateTime={iso(ms)} title={both.format(ms)}>
      {longDate.format(ms)}
    </time>
  );
}

/** Date and time, both short. */
export function DateAndTime({ ms }: { ms: number }) {
  return <time dateTime={iso(ms)}>{both.format(ms)}</time>;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
