import { useEffect, useState } from "react";
import { Icon } from "./icon";

interface Props {
  readonly text: string;
  readonly label: string;
  /** What it copies, where several stand on one page. */
  readonly about?: string;
}

/** A button that puts a text on the clipboard and shows that it did. */
export function CopyButton({ text, label, about }: Props) {
  const [copied, setCopied] = useState(0);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(0), 1000);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => {
    if (!(await putOnClipboard(text))) return;
    setCopied((n) => n + 1);
  };
  return (
    <button
      type="button"
      className={copied ? "btn btn--success" : "btn"}
      title={label}
      onClick={() => void copy()}
    >
      <Icon name={copied ? "check" : "copy-paste"} />
      <span className="for-screen-reader" aria-live="polite">
        {copied ? "Copied" : about ? `${label}: ${about}` : label}
      </span>
    </button>
  );
}

async function putOnClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Without TLS browsers offer no clipboard: show the text, selected, for copying by hand.
    window.prompt("Copy this:", text);
    return false;
  }
}
