import { Code } from "@connectrpc/connect";
import { useEffect, useState } from "react";
import { codeOf, sessionService } from "../api";
import { signedInAs, useCampfire } from "../state";
import { Icon } from "../ui/icon";
import { Logo } from "../ui/logo";
import { ErrorScreen, Page } from "../ui/page";
import { navigate } from "../ui/router";
import { Help } from "./help";
import { NameTag, type Person } from "./name-tag";

/** Lets someone join the account with its join code. */
export function Join({ joinCode }: { joinCode: string }) {
  const name = useCampfire((s) => s.account?.name);
  const [unknown, setUnknown] = useState(false);
  useEffect(() => {
    sessionService.checkJoinCode({ joinCode }).catch((error: unknown) => {
      if (codeOf(error) === Code.NotFound) setUnknown(true);
    });
  }, [joinCode]);
  const join = async (person: Person) => {
    try {
      const { user } = await sessionService.join({ joinCode, ...person });
      signedInAs(user);
      navigate("/", { replace: true });
    } catch (error) {
      const code = codeOf(error);
      if (code === Code.AlreadyExists) {
        navigate(`/session/new?known&email_address=${encodeURIComponent(person.emailAddress)}`);
      } else if (code === Code.NotFound) setUnknown(true);
      else throw error;
    }
  };
  if (unknown) return <ErrorScreen title="This link to join does not work any more." />;
  const nav = (
    <a className="btn flex-item-justify-end" href="/session/new" aria-label="Sign in" title="Sign in">
      <Icon name="login-keys" />
    </a>
  );
  return (
    <Page title="Sign up" nav={nav}>
      <NameTag
        legend={
          <span className="flex align-center justify-center gap">
            <span className="account-logo">
              <Logo />
            </span>
            <strong>{name}</strong>
          </span>
        }
        onSubmit={join}
        submit={
          <>
            <Icon name="check" />
            <span className="for-screen-reader">Join</span>
          </>
        }
      >
        <Help />
      </NameTag>
    </Page>
  );
}
