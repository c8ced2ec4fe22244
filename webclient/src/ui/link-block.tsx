import { lazy, type ReactNode, Suspense, useState } from "react";
import { CopyButton } from "./copy";
import { Icon, type IconName } from "./icon";
import { ShareButton } from "./share";

const Lightbox = lazy(async () => ({ default: (await import("../later/lightbox")).Lightbox }));

interface Props {
  /** What the link is for, as "the link to join". */
  readonly what: string;
  /** Empty until it is known. */
  readonly link: string;
  readonly icon?: IconName;
  /** What stands before the link where it is shared. */
  readonly text: string;
  /** More buttons. */
  readonly children?: ReactNode;
}

/** A link to hand to someone: to read, to scan, to copy, to share. */
export function LinkBlock({ what, link, icon, text, children }: Props) {
  const [scanning, setScanning] = useState(false);
  const capital = what.charAt(0).toUpperCase() + what.slice(1);
  return (
    <div className="flex flex-column gap align-center full-width">
      <label className="input input--actor full-width">
        <span className="for-screen-reader">{capital}</span>
        <input
          className="input"
          readOnly
          value={link}
          placeholder="…"
          onFocus={(event) => event.target.select()}
        />
        {icon && <Icon name={icon} />}
      </label>
      <div className="flex gap justify-center">
        <button
          type="button"
          className="btn"
          title={`Show ${what} as a QR code`}
          disabled={!link}
          onClick={() => setScanning(true)}
        >
          <Icon name="qr-code" />
          <span className="for-screen-reader">Show {what} as a QR code</span>
        </button>
        <CopyButton text={link} label={`Copy ${what}`} />
        <ShareButton url={link} text={text} />
        {children}
      </div>
      {scanning && (
        <Suspense>
          <Lightbox
            src={qrPath(link)}
            alt={`QR code of ${what}`}
            code
            share={{ url: link, text }}
            onClose={() => setScanning(false)}
          />
        </Suspense>
      )}
    </div>
  );
}

/** Where the server draws a link as a QR code. */
export function qrPath(link: string): string {
  const bytes = String.fromCharCode(...new TextEncoder().encode(link));
  return `/qr_code/${btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
}
