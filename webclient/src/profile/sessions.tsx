import { timestampMs } from "@bufbuild/protobuf/wkt";
import { reasonOf, sessionService } from "../api";
import type { Session } from "../gen/campfire/v1/session_pb";
import { useAnswer } from "../ui/answer";
import { confirm } from "../ui/dialog";
import { alertFlash } from "../ui/flash";
import { Icon } from "../ui/icon";
import { DateAndTime } from "../ui/time";
import { programOf } from "./program";

/** Where one is signed in, and a way to end it there. */
export function Sessions() {
  const { value: sessions, change } = useAnswer("sessions", async () => {
    return (await sessionService.listSessions({})).sessions;
  });
  if (!sessions) return null;
  const end = async (session: Session) => {
    const where = programOf(session.userAgent);
    if (!(await confirm(`Sign out of ${where}?`, "Sign out"))) return;
    try {
      await sessionService.revokeSession({ sessionId: session.id });
      change((now) => now.filter((s) => s.id !== session.id));
    } catch (error) {
      alertFlash(reasonOf(error));
    }
  };
  return (
    <section className="panel__box" aria-label="Where you are signed in" data-testid="sessions">
      <strong className="txt-align-center">Where you are signed in</strong>
      <ul>
        {sessions.map((session) => (
          <li key={session.id} className="membership-item">
            <Icon name={/Mobile|Android|iPhone/.test(session.userAgent) ? "mobile-phone" : "laptop"} />
            <span className="flex flex-column min-width">
              <span className="membership-item__name" title={session.userAgent}>
                {programOf(session.userAgent)}
              </span>
              <span className="txt-small txt-subtle">
                {session.ipAddress}
                {session.lastActiveAt && (
                  <>
                    {", "}
                    <DateAndTime ms={timestampMs(session.lastActiveAt)} />
                  </>
                )}
              </span>
            </span>
            <hr className="separator" aria-hidden="true" />
            {session.current ? (
              <span className="txt-small txt-nowrap">this one</span>
            ) : (
              <button
                type="button"
                className="btn btn--negative"
                aria-label={`Sign out of ${programOf(session.userAgent)}`}
                title="Sign out"
                onClick={() => void end(session)}
              >
                <Icon name="minus" />
              </button>
            )}
          </li>
        ))}
      </ul>
      <a className="txt-align-center" href="/users/me/push_subscriptions">
        Devices with notifications
      </a>
    </section>
  );
}
