import { useEffect, useState } from "react";
import { accountService } from "../api";
import { CopyButton } from "../ui/copy";
import { Icon } from "../ui/icon";

/** The link with which others join, and a button that copies it. */
export function Invite() {
  const [joinCode, setJoinCode] = useState<string>();
  useEffect(() => {
    accountService.getJoinCode({}).then(
      (answer) => setJoinCode(answer.joinCode),
      () => undefined, // without it the field stays empty; the next visit asks again
    );
  }, []);
  const link = joinCode ? new URL(`/join/${joinCode}`, location.origin).href : "";
  return (
    <div className="flex flex-column gap align-center full-width">
      <label className="input input--actor full-width">
        <span className="for-screen-reader">Link to join</span>
        <input
          className="input"
          readOnly
          value={link}
          placeholder="…"
          onFocus={(event) => event.target.select()}
        />
        <Icon name="person-add" />
      </label>
      <CopyButton text={link} label="Copy the link to join" />
    </div>
  );
}
