import { Icon, type IconName } from "../ui/icon";
import { Page } from "../ui/page";
import { Translate } from "../ui/translate";
import { oldest } from "./browser";

const browsers: readonly (readonly [string, IconName, number])[] = [
  ["Safari", "browser-safari", oldest.safari],
  ["Chrome", "browser-chrome", oldest.chrome],
  ["Firefox", "browser-firefox", oldest.firefox],
  ["Opera", "browser-opera", oldest.opera],
];

/** Says which browsers can show the rest. */
export function TooOld() {
  return (
    <Page title="Unsupported browser">
      <div className="panel">
        <Translate of="browser" />
        <h1 className="txt-x-large txt-align-center txt-balance pad-inline-double">
          Your browser is too old for Campfire
        </h1>
        <p className="txt-align-center margin-block-start txt-balance">
          Please use one that keeps itself up to date, or update the one you have.
        </p>
        <ul className="browser-list">
          {browsers.map(([name, icon, version]) => (
            <li key={name} className="browser">
              <Icon name={icon} />
              <span>
                {name} {version}+
              </span>
            </li>
          ))}
        </ul>
      </div>
    </Page>
  );
}
