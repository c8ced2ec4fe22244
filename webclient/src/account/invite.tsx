import { useEffect, useEffectEvent } from "react";
import { accountService, reasonOf } from "../api";
import { useCampfire } from "../state";
import { useAnswer } from "../ui/answer";
import { alertFlash } from "../ui/flash";
import { Icon } from "../ui/icon";
import { LinkBlock } from "../ui/link-block";

/** The link with which others join; with renewable, a button that makes another one. */
export function Invite({ renewable = false }: { renewable?: boolean }) {
  const name = useCampfire((s) => s.account?.name ?? "");
  const ask = async () => (await accountService.getJoinCode({})).joinCode;
  const { value: joinCode = "", set } = useAnswer("join code", ask);
  const changed = useEffectEvent(() => void ask().then(set, () => undefined));
  useEffect(() => useCampfire.subscribe((now, before) => now.account !== before.account && changed()), []);
  const renew = async () => {
    try {
      set((await accountService.resetJoinCode({})).joinCode);
    } catch (error) {
      alertFlash(reasonOf(error));
    }
  };
  const link = joinCode ? new URL(`/join/${joinCode}`, location.origin).href : "";
  return (
    <LinkBlock what="the link to join" link={link} icon="person-add" text={`Join us in ${name}:`}>
      {renewable && (
        <button type="button" className="btn" title="Make another link to join" onClick={() => void renew()}>
          <Icon name="refresh" />
          <span className="for-screen-reader">Make another link to join, and end this one</span>
        </button>
      )}
    </LinkBlock>
  );
}
