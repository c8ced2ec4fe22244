import { accountService } from "../api";
import { signedInAs, update } from "../state";

/** Learns what a visitor may know, and who is here, if anyone. */
export async function loadAccount() {
  const { account, contact, version, user } = await accountService.getAccount({});
  signedInAs(user);
  update({ account, contact, version });
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
