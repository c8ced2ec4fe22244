import { reasonOf, sessionService } from "../api";
import { signedInAs, useCampfire } from "../state";
import { Avatar } from "../ui/avatar";
import { alertFlash } from "../ui/flash";
import { Icon } from "../ui/icon";
import { BackButton, Page } from "../ui/page";
import { navigate } from "../ui/router";

/** Who one is, and the way out. */
export function Profile() {
  const user = useCampfire((s) => s.user);
  if (!user) return null;
  const signOut = async () => {
    try {
      await sessionService.signOut({});
      signedInAs(undefined);
      navigate("/session/new", { replace: true });
    } catch (error) {
      alertFlash(reasonOf(error));
    }
  };
  const nav = (
    <>
      <BackButton />
      <button
        type="button"
        className="btn flex-item-justify-end"
        aria-label="Log out"
        title="Log out"
        onClick={() => void signOut()}
      >
        <Icon name="logout" />
      </button>
    </>
  );
  return (
    <Page title={user.name} nav={nav}>
      <div className="panel">
        <div className="flex flex-column align-center gap">
          <span className="txt-xx-large">
            <Avatar user={user} />
          </span>
          <h1 className="txt-x-large txt-align-center">{user.name}</h1>
          <p className="txt-subtle">{user.emailAddress}</p>
          {user.bio && <p className="txt-align-center">{user.bio}</p>}
        </div>
      </div>
    </Page>
  );
}
