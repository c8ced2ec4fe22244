import { useEffect, useState } from "react";
import { Code } from "@connectrpc/connect";
import { codeOf, reasonOf, sessionService } from "../api";
import { signedInAs } from "../state";
import { ErrorScreen, Page } from "../ui/page";
import { navigate } from "../ui/router";
import { takeReturn } from "./account";

/** Signs in by a transfer link, without asking anything. */
export function ClaimTransfer({ token }: { token: string }) {
  const [failure, setFailure] = useState<string>();
  useEffect(() => {
    let stale = false;
    sessionService.claimTransfer({ transferToken: token }).then(
      ({ user }) => {
        signedInAs(user);
        navigate(takeReturn(), { replace: true });
      },
      (error: unknown) => {
        if (stale) return;
        const useless = codeOf(error) === Code.InvalidArgument;
        setFailure(useless ? "This sign-in link is no longer valid." : reasonOf(error));
      },
    );
    return () => {
      stale = true;
    };
  }, [token]);
  if (failure === undefined)
    return (
      <Page title="Signing in">
        <span className="spinner center-block center" role="status" aria-label="Signing in" />
      </Page>
    );
  const signIn = (
    <a className="btn" href="/session/new">
      <span>Sign in</span>
    </a>
  );
  return <ErrorScreen title={failure} action={signIn} />;
}
