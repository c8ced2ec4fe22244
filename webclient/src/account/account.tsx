import { useState } from "react";
import { accountService, reasonOf, violationsOf } from "../api";
import { UserRole } from "../gen/campfire/v1/user_pb";
import { Picture } from "../later/picture";
import { update, useCampfire } from "../state";
import { Problem, text } from "../ui/field";
import { alertFlash, flash } from "../ui/flash";
import { Icon } from "../ui/icon";
import { Logo } from "../ui/logo";
import { BackButton, Page } from "../ui/page";
import { Switch } from "../ui/switch";
import { Translate } from "../ui/translate";
import { Invite } from "./invite";
import { People } from "./people";

/** The account: its name, how people join it, who they are. Administrators change it here. */
export function AccountSettings() {
  const account = useCampfire((s) => s.account);
  const admin = useCampfire((s) => s.user?.role === UserRole.ADMINISTRATOR);
  const version = useCampfire((s) => s.version);
  if (!account) return null;
  const nav = (
    <>
      <BackButton to="/" />
      {admin && (
        <>
          <a
            className="btn flex-item-justify-end"
            href="/account/bots"
            data-opens=""
            aria-label="Chat bots"
            title="Chat bots"
          >
            <Icon name="bot" />
          </a>
          <a
            className="btn"
            href="/account/custom_styles/edit"
            data-opens=""
            aria-label="Custom styles"
            title="Custom styles"
          >
            <Icon name="art" />
          </a>
        </>
      )}
    </>
  );
  return (
    <Page title="Account settings" nav={nav}>
      <section className="panel" aria-label="Account settings">
        {admin ? (
          <Name key={account.name} name={account.name} />
        ) : (
          <div className="flex flex-column align-center">
            <span className="account-logo">
              <Logo />
            </span>
            <h1 className="txt-x-large txt-align-center txt-break">{account.name}</h1>
          </div>
        )}
        <div className="panel__box">
          {admin && (
            <>
              <Restriction restricted={account.restrictRoomCreationToAdministrators} />
              <hr className="separator separator--solid" />
            </>
          )}
          <section className="flex flex-column gap align-center" aria-label="Invitation">
            <strong>Invite people with this link</strong>
            <Invite renewable={admin} />
          </section>
          <hr className="separator separator--solid" />
          <People />
        </div>
      </section>
      <footer id="footer">
        <span className="version-badge">Campfire {version}</span>
      </footer>
    </Page>
  );
}

function Name({ name }: { name: string }) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const save = async (form: FormData) => {
    setBusy(true);
    setProblem(undefined);
    try {
      const { account } = await accountService.updateAccount({ name: text(form, "name").trim() });
      update({ account });
      flash("Saved.");
    } catch (error) {
      setProblem(violationsOf(error).find((v) => v.field === "name")?.description);
      alertFlash(reasonOf(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      className="flex flex-column gap align-center"
      onSubmit={(event) => {
        event.preventDefault();
        void save(new FormData(event.currentTarget));
      }}
    >
      <h1 className="for-screen-reader">Account settings</h1>
      <Picture of="the logo" shape="square" more="Custom logos available in v2.0">
        <Logo />
      </Picture>
      <div className="flex flex-column full-width">
        <div className="flex align-center gap-half txt-large">
          <Translate of="accountName" />
          <label className="input input--actor flex-item-grow">
            <span className="for-screen-reader">Account name</span>
            <input
              className="input full-width"
              name="name"
              defaultValue={name}
              required
              maxLength={100}
              autoFocus
              autoComplete="organization"
              aria-describedby={problem ? "name-problem" : undefined}
            />
          </label>
          <button
            type="submit"
            className="btn btn--reversed txt-medium"
            aria-label="Save"
            title="Save"
            aria-busy={busy}
          >
            <Icon name="check" />
          </button>
        </div>
        <Problem of="name">{problem}</Problem>
      </div>
    </form>
  );
}

function Restriction({ restricted }: { restricted: boolean }) {
  const [wanted, setWanted] = useState<boolean>();
  const save = async (restrict: boolean) => {
    setWanted(restrict);
    try {
      const { account } = await accountService.updateAccount({
        restrictRoomCreationToAdministrators: restrict,
      });
      update({ account });
    } catch (error) {
      alertFlash(reasonOf(error));
    } finally {
      setWanted(undefined);
    }
  };
  return (
    <div className="flex align-center gap">
      <Icon name="crown" />
      <span className="flex-item-grow">Only administrators may create rooms</span>
      <Switch
        label="Only administrators may create rooms"
        checked={wanted ?? restricted}
        onChange={(restrict) => void save(restrict)}
      />
    </div>
  );
}
