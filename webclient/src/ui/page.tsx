import { type ReactNode, useEffect, useLayoutEffect } from "react";
import { Icon, type IconName } from "./icon";
import { Logo } from "./logo";
import { goBack } from "./router";

interface Props {
  readonly title: string;
  /** What stands in the bar at the top. */
  readonly nav?: ReactNode;
  readonly children: ReactNode;
}

interface ErrorProps {
  readonly title: string;
  readonly icon?: IconName;
  readonly action?: ReactNode;
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

/** Makes room for a sidebar beside the page while a screen has one. */
export function useSidebarLayout() {
  useLayoutEffect(() => {
    document.body.classList.add("sidebar");
    return () => document.body.classList.remove("sidebar");
  }, []);
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

/** The way back: to where one came from, or to a place of its own. */
export function BackButton({ to, label = "Go back" }: { to?: string; label?: string }) {
  if (to !== undefined)
    return (
      <a className="btn" href={to} aria-label={label} title={label}>
        <Icon name="arrow-left" />
      </a>
    );
  return (
    <button type="button" className="btn" aria-label={label} title={label} onClick={goBack}>
      <Icon name="arrow-left" />
    </button>
  );
}

/** What someone sees who may not see the rest. */
export function Forbidden({ children }: { children: string }) {
  return <ErrorScreen title={children} icon="lock" />;
}

/** A page for what cannot be shown. */
export function ErrorScreen({ title, icon = "alert", action }: ErrorProps) {
  return (
    <Page title={title}>
      <div className="error-screen">
        <div className="error-screen__disc">
          <Icon name={icon} />
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
