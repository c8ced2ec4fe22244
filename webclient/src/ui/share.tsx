import { Icon } from "./icon";

interface Props {
  readonly url: string;
  /** What stands before the link where it is shared. */
  readonly text: string;
  readonly className?: string;
}

/** Passes a link to another app, where the browser can. */
export function ShareButton({ url, text, className = "" }: Props) {
  if (!("share" in navigator)) return null;
  const share = () => {
    navigator.share({ url, text }).catch(() => undefined); // thought better of it
  };
  return (
    <button
      type="button"
      className={`btn ${className}`.trim()}
      aria-label="Share"
      title="Share"
      onClick={share}
    >
      <Icon name="share" />
    </button>
  );
}
