import { Code } from "@connectrpc/connect";
import { useState } from "react";
import { codeOf, reasonOf, sessionService } from "../api";
import { signedInAs, useCampfire } from "../state";
import { Field, text } from "../ui/field";
import { alertFlash } from "../ui/flash";
import { Icon } from "../ui/icon";
import { Logo } from "../ui/logo";
import { Page } from "../ui/page";
import { navigate } from "../ui/router";
import { takeReturn } from "./account";
import { Help } from "./help";

/** Signs someone in. */
export function SignIn() {
  const name = useCampfire((s) => s.account?.name);
  const [busy, setBusy] = useState(false);
  const [refusals, setRefusals] = useState(0);
  const query = new URLSearchParams(location.search);
  const prefilled = query.get("email_address") ?? "";

  const signIn = async (form: HTMLFormElement) => {
    setBusy(true);
    const data = new FormData(form);
    try {
      const { user } = await sessionService.signIn({
        emailAddress: text(data, "email_address"),
        password: text(data, "password"),
      });
      signedInAs(user);
      navigate(takeReturn(), { replace: true });
    } catch (error) {
      const refused = [Code.Unauthenticated, Code.ResourceExhausted].includes(codeOf(error));
      alertFlash(refused ? "Sign-in failed, or too many attempts. Please try again." : reasonOf(error));
      if (refused) setRefusals(refusals + 1);
      const password = form.elements.namedItem("password") as HTMLInputElement;
      password.value = "";
      password.focus();
      setBusy(false);
    }
  };
  return (
    <Page title="Sign in">
      <div className="panel" ref={(panel) => shake(panel, refusals)}>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (!busy) void signIn(event.currentTarget);
          }}
        >
          <fieldset className="flex flex-column gap align-center">
            <span className="account-logo center">
              <Logo />
            </span>
            <legend className="for-screen-reader">Sign in to {name}</legend>
            <h1 className="txt-large txt-align-center">{name}</h1>
            {query.has("known") && (
              <p className="txt-align-center" role="status">
                This address has an account here already. Sign in with its password.
              </p>
            )}
            <Field
              name="email_address"
              label="Email address"
              icon="email"
              phrase="email"
              type="email"
              autoComplete="username"
              maxLength={254}
              autoFocus={!prefilled}
              defaultValue={prefilled}
            />
            <Field
              name="password"
              label="Password"
              icon="password"
              phrase="password"
              type="password"
              autoComplete="current-password"
              maxLength={72}
              autoFocus={Boolean(prefilled)}
            />
            <button
              type="submit"
              className="btn btn--reversed center"
              aria-label="Go"
              title="Go"
              aria-busy={busy}
            >
              <Icon name="arrow-right" />
            </button>
          </fieldset>
        </form>
      </div>
      <Help />
    </Page>
  );
}

function shake(panel: HTMLElement | null, refusals: number) {
  if (!panel || refusals === 0) return;
  panel.classList.remove("shake");
  void panel.offsetWidth; // so that the animation starts again
  panel.classList.add("shake");
}
