import { Component, createRef, type ReactNode } from "react";

interface Props {
  readonly children: ReactNode;
  /** Changes with the visit: then the list starts anew, at its end or at the focus. */
  readonly visit: string;
  /** The last line; when it changes, the list follows or says that there is something unseen. */
  readonly last: string | undefined;
  /** One's own newest post; when it changes, the list goes to its end wherever it was. */
  readonly posted: string | undefined;
  /** Whether the end of the list is the end of the room. */
  readonly upToDate: boolean;
  /** The message to show in the middle at first. */
  readonly focus: string | undefined;
  readonly onFollowing: (following: boolean) => void;
}

interface Place {
  readonly following: boolean;
  readonly marks: readonly { readonly element: Element; readonly top: number }[];
}

/** How near to its end a list follows what arrives, inclusive. */
export const NEAR_PX = 100;

/** The list's box, which keeps its place. React tells only a class what was on screen just before a change. */
export class Scroller extends Component<Props> {
  private readonly box = createRef<HTMLDivElement>();
  private following = true;
  private readonly resized = new ResizeObserver(() => {
    if (this.following && this.props.upToDate) this.toEnd();
  });

  override componentDidMount() {
    if (this.box.current) this.resized.observe(this.box.current);
    this.start();
  }

  override componentWillUnmount() {
    this.resized.disconnect();
  }

  override getSnapshotBeforeUpdate(): Place {
    if (this.isNearEnd() && this.props.upToDate) return { following: true, marks: [] };
    const box = this.box.current!;
    const { top } = box.getBoundingClientRect();
    const marks: { element: Element; top: number }[] = [];
    for (const element of box.getElementsByClassName("message__body")) {
      const at = element.getBoundingClientRect();
      if (at.bottom <= top) continue;
      marks.push({ element, top: at.top });
      if (marks.length === 5) break; // one of these will still be there
    }
    return { following: false, marks };
  }

  override componentDidUpdate(before: Props, _: unknown, place: Place) {
    const { visit, last, posted, upToDate } = this.props;
    if (visit !== before.visit) return this.start();
    if (posted !== undefined && posted !== before.posted) return this.toEnd();
    if (place.following && upToDate) return this.toEnd();
    this.keep(place);
    const arrived = last !== before.last && before.upToDate && upToDate;
    if (arrived && !this.isNearEnd()) this.props.onFollowing(false);
  }

  /** Goes to the newest line. */
  toEnd() {
    const box = this.box.current!;
    box.scrollTop = box.scrollHeight;
    this.scrolled();
  }

  override render() {
    return (
      <div
        ref={this.box}
        className="messages"
        role="log"
        aria-label="Messages"
        tabIndex={0}
        data-testid="message-list"
        onScroll={this.scrolled}
      >
        {this.props.children}
      </div>
    );
  }

  private start() {
    const { focus } = this.props;
    const message = focus && this.box.current?.querySelector(`[data-message-id="${CSS.escape(focus)}"]`);
    if (!message) return this.toEnd();
    message.scrollIntoView({ block: "center", behavior: "instant" });
    this.scrolled();
  }

  private keep({ marks }: Place) {
    const mark = marks.find((m) => m.element.isConnected);
    if (mark) this.box.current!.scrollTop += mark.element.getBoundingClientRect().top - mark.top;
  }

  private isNearEnd(): boolean {
    const { scrollHeight, scrollTop, clientHeight } = this.box.current!;
    return scrollHeight - scrollTop - clientHeight <= NEAR_PX + 0.5;
  }

  private readonly scrolled = () => {
    const { scrollHeight, scrollTop, clientHeight } = this.box.current!;
    this.following = this.isNearEnd();
    if (scrollHeight - scrollTop - clientHeight < 40) this.props.onFollowing(true);
  };
}
