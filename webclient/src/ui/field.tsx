import { type ReactNode } from "react";
import { Icon, type IconName } from "./icon";
import { type Phrase, Translate } from "./translate";

interface Props {
  readonly name: string;
  readonly label: string;
  readonly icon: IconName;
  /** What the globe beside it explains in other languages. */
  readonly phrase: Phrase;
  readonly type?: "text" | "email" | "password" | "url";
  readonly autoComplete: string;
  readonly maxLength: number;
  readonly autoFocus?: boolean;
  readonly required?: boolean;
  readonly defaultValue?: string | undefined;
  /** What the server says is wrong with it. */
  readonly problem?: string | undefined;
}

/** A framed field of a form, with its icon and its globe. */
export function Field({
  name,
  label,
  icon,
  phrase,
  type = "text",
  required = true,
  problem,
  ...rest
}: Props) {
  return (
    <div className="flex flex-column full-width">
      <div className="flex align-center gap-half txt-large">
        <Translate of={phrase} />
        <label className="input input--actor flex-item-grow">
          <span className="for-screen-reader">{label}</span>
          <input
            className="input full-width"
            name={name}
            type={type}
            placeholder={label}
            required={required}
            aria-invalid={problem ? true : undefined}
            aria-describedby={problem ? `${name}-problem` : undefined}
            {...rest}
          />
          <Icon name={icon} />
        </label>
      </div>
      <Problem of={name}>{problem}</Problem>
    </div>
  );
}

/** What the server says is wrong with a field. */
export function Problem({ of, children }: { of: string; children: ReactNode }) {
  if (!children) return null;
  return (
    <span className="txt-small txt-negative pad-block-half" id={`${of}-problem`} role="alert">
      {children}
    </span>
  );
}

/** The text of a form's field. */
export function text(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === "string" ? value : "";
}
