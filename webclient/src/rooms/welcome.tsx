import { Invite } from "../account/invite";
import { originalRoom } from "../sidebar/rooms";
import { useCampfire } from "../state";
import { Logo } from "../ui/logo";
import { Translate } from "../ui/translate";

/** How many messages the first room may have and still greet. */
const GREETS_UP_TO = 40;

/** The invitation that opens the room which came with the account, while little is said in it. */
export function Welcome({ roomId }: { roomId: string }) {
  const first = useCampfire((s) => s.rooms !== undefined && originalRoom(s.rooms) === roomId);
  const few = useCampfire((s) => (s.timeline?.messages.length ?? 0) <= GREETS_UP_TO);
  const name = useCampfire((s) => s.account?.name);
  if (!first || !few) return null;
  return (
    <section id="system_welcome" aria-label="Invitation" data-testid="invite-card">
      <Translate of="invitation" />
      <span className="account-logo">
        <Logo />
      </span>
      <strong className="txt-large txt-balance">Welcome to {name}</strong>
      <p className="txt-balance">Send this link to everyone who should join.</p>
      <Invite />
    </section>
  );
}
