import type { ReactNode } from "react";
import { isInstalled, useInstalled } from "../installed";
import { Icon } from "../ui/icon";
import { type Platform, platformOf } from "./platform";

/** Where Campfire runs. */
export function here(): Platform {
  return platformOf(navigator.userAgent, navigator.maxTouchPoints);
}

interface Props {
  readonly title: string;
  readonly open?: boolean;
  readonly children: ReactNode;
}

/** Steps behind a title that opens and closes them. */
export function Instructions({ title, open, children }: Props) {
  return (
    <details className="pwa__instructions" open={open}>
      <summary>{title}</summary>
      {children}
    </details>
  );
}

/** Whether there is anything to say about installing Campfire, or to offer. */
export function useInstallable(): boolean {
  const offered = useInstalled((s) => s.offer !== undefined);
  return !isInstalled() && (offered || stepsFor(here()) !== undefined);
}

/** How to install Campfire as an app, with the browser's own offer while there is one. */
export function InstallHelp({ open = false }: { open?: boolean }) {
  const steps = stepsFor(here());
  return (
    <Instructions title="Install Campfire as an app" open={open}>
      {steps && (
        <ol>
          {steps.map((step, i) => (
            <li key={i}>{step}</li>
          ))}
        </ol>
      )}
      <InstallNow />
    </Instructions>
  );
}

/** The browser's offer to install Campfire as an app, while there is one. */
function InstallNow() {
  const offer = useInstalled((s) => s.offer);
  if (!offer) return null;
  const install = () => {
    useInstalled.setState({ offer: undefined }); // it can be taken once
    void offer.prompt();
  };
  return (
    <div className="pwa__installer">
      <button type="button" className="btn btn--reversed" data-testid="install-now" onClick={install}>
        <Icon name="install" />
        <span>Install now</span>
      </button>
    </div>
  );
}

/** What to press to install a page as an app, where the browser does not offer it by itself. */
function stepsFor({ browser, system }: Platform): readonly ReactNode[] | undefined {
  if (system === "ios") {
    return [
      <>
        Press <Icon name="share" /> <mark>Share</mark> in the browser’s bar.
      </>,
      <>
        Scroll down and choose <mark>Add to Home Screen</mark>.
      </>,
      <>
        Press <mark>Add</mark>, then open Campfire from the home screen and press the bell there: only an
        installed app may notify you on this device.
      </>,
    ];
  }
  if (browser === "edge" && system !== "android") {
    return [
      <>
        Press <Icon name="menu-dots-horizontal" /> at the top right of the window.
      </>,
      <>
        Open <mark>More tools</mark>, then <mark>Apps</mark>.
      </>,
      <>
        Choose <mark>Install this site as an app</mark> and confirm.
      </>,
    ];
  }
  if (browser === "firefox" && system === "android") {
    return [
      <>
        Press <Icon name="menu-dots-vertical" /> beside the address.
      </>,
      <>
        Choose <mark>Add app to Home screen</mark> and confirm.
      </>,
    ];
  }
  if (browser === "safari" && system === "macos") {
    return [
      <>
        Open the <mark>File</mark> menu, or press <Icon name="share" /> in the toolbar.
      </>,
      <>
        Choose <mark>Add to Dock</mark> and confirm with <mark>Add</mark>.
      </>,
    ];
  }
  return undefined;
}
