import { type ReactNode, useEffect } from "react";
import { Icon } from "./icon";
import { Logo } from "./logo";
import { navigate } from "./router";

interface Props {
  readonly title: string;
  /** What stands in the bar at the top. */
  readonly nav?: ReactNode;
  readonly children: ReactNode;
}

/** The frame of a screen: its title, the bar at the top, and the main part. */
export function Page({ title, nav, children }: Props) {
  useEffect(() => {
    document.title = title;
  }, [title]);
  return (
    <>
      <nav id="nav" aria-label="Page" data-testid="nav">
        {nav}
      </nav>
      <main id="main-content" tabIndex={-1} data-testid="main">
        {children}
      </main>
    </>
  );
}

/** The link that takes the keyboard past everything to the main part. */
export function SkipLink() {
  return (
    <a className="skip-navigation btn" href="#main-content">
      <span>Skip to main content</span>
    </a>
  );
}

/** The product's logo in the corner. */
export function CornerLogo() {
  return (
    <a id="app-logo" href="/" aria-label="Campfire">
      <Logo />
    </a>
  );
}

/** The button back to where one came from. */
export function BackButton() {
  const back = () => (history.length > 1 ? history.back() : navigate("/"));
  return (
    <button type="button" className="btn" aria-label="Go back" title="Go back" onClick={back}>
      <Icon name="arrow-left" />
    </button>
  );
}

/** A page for what cannot be shown. */
export function ErrorScreen({ title, action }: { title: string; action?: ReactNode }) {
  return (
    <Page title={title}>
      <div className="error-screen">
        <div className="error-screen__disc">
          <Icon name="alert" />
        </div>
        <h1 className="for-screen-reader">{title}</h1>
        <p className="txt-align-center" aria-hidden="true">
          {title}
        </p>
        {action ?? <BackButton />}
      </div>
    </Page>
  );
}
