import type { ReactNode } from "react";
import { comingLater } from "../ui/flash";
import { Icon } from "../ui/icon";

interface Props {
  /** Whose picture, as the buttons say it. */
  readonly of: string;
  /** The picture there is without one of one's own. */
  readonly children: ReactNode;
  readonly shape?: "round" | "square";
  /** What more there is to say about when. */
  readonly more?: string;
}

/** A camera and a picture, both of which choose another one: in v2.0. */
export function Picture({ of, children, shape = "round", more }: Props) {
  const choose = () => comingLater(more);
  return (
    <div className="avatar__form">
      <button
        type="button"
        className="btn"
        aria-label={`Choose ${of}`}
        title={`Choose ${of}`}
        onClick={choose}
      >
        <Icon name="camera" />
      </button>
      <button
        type="button"
        className={shape === "square" ? "btn btn--plain account-logo" : "btn btn--plain avatar"}
        aria-label={of.charAt(0).toUpperCase() + of.slice(1)}
        onClick={choose}
      >
        {children}
      </button>
    </div>
  );
}
