import { Code } from "@connectrpc/connect";
import { accountService, codeOf } from "../api";
import { loadAccount } from "./account";
import { signedInAs } from "../state";
import { Icon } from "../ui/icon";
import { Page } from "../ui/page";
import { navigate } from "../ui/router";
import { NameTag, type Person } from "./name-tag";

/** The first run: makes the account and its first administrator. */
export function SetUp() {
  const setUp = async (person: Person) => {
    try {
      const { user } = await accountService.setUp(person);
      await loadAccount();
      signedInAs(user);
    } catch (error) {
      if (codeOf(error) !== Code.FailedPrecondition) throw error;
      await loadAccount(); // someone else was faster
    }
    navigate("/", { replace: true });
  };
  return (
    <Page title="Set up Campfire">
      <NameTag
        legend={<strong>Set up Campfire</strong>}
        onSubmit={setUp}
        submit={
          <>
            <Icon name="arrow-right" />
            <span className="for-screen-reader">Save</span>
          </>
        }
      >
        {null}
      </NameTag>
    </Page>
  );
}
