import { Code } from "@connectrpc/connect";
import { accountService, codeOf, sessionService } from "../api";
import { signedInAs, update } from "../state";

/** Learns what a visitor may know: the account, whom to ask, the version. */
export async function loadAccount() {
  const { account, contact, version } = await accountService.getAccount({});
  update({ account, contact, version });
}

/** Learns who is here, if anyone. */
export async function loadCurrentUser() {
  try {
    const { user } = await sessionService.getCurrentUser({});
    signedInAs(user);
  } catch (error) {
    if (codeOf(error) !== Code.Unauthenticated) throw error;
    signedInAs(undefined);
  }
}

const returnKey = "campfire.return";

/** Remembers what a stranger wanted to see, for after signing in. */
export function rememberReturn(path: string) {
  sessionStorage.setItem(returnKey, path);
}

/** Where to go after signing in. */
export function takeReturn(): string {
  const path = sessionStorage.getItem(returnKey) ?? "/";
  sessionStorage.removeItem(returnKey);
  return path;
}
