import { useCampfire } from "./state";

/** Takes up the account's own styles again whenever the account has changed. Returns how to stop. */
export function followStyles(): () => void {
  return useCampfire.subscribe((now, before) => {
    if (now.account !== before.account && before.account && now.account) reload();
  });
}

// The new sheet comes before the old one goes, so that the page never stands without.
function reload() {
  const old = document.querySelector<HTMLLinkElement>("#custom-styles");
  if (!old) return;
  const sheet = old.cloneNode() as HTMLLinkElement;
  sheet.href = `/custom.css?${Date.now()}`;
  sheet.addEventListener("load", () => old.remove());
  sheet.addEventListener("error", () => sheet.remove());
  old.removeAttribute("id");
  old.after(sheet);
}
