import { useModal } from "../ui/dialog";
import { Icon } from "../ui/icon";
import { ShareButton } from "../ui/share";

interface Props {
  readonly src: string;
  readonly alt: string;
  readonly caption?: string;
  /** Whether the picture is a code, drawn black on white whatever the scheme. */
  readonly code?: boolean;
  /** What the button that shares passes on. */
  readonly share?: { readonly url: string; readonly text: string };
  readonly onClose: () => void;
}

/** One picture over the whole window. */
export function Lightbox({ src, alt, caption, code, share, onClose }: Props) {
  const dialog = useModal();
  return (
    <dialog
      ref={dialog}
      className="lightbox"
      aria-label={alt}
      data-testid="lightbox"
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => event.target === dialog.current && onClose()}
    >
      <img
        className={code ? "lightbox__image lightbox__image--code" : "lightbox__image"}
        src={src}
        alt={alt}
      />
      {caption && <p className="lightbox__caption">{caption}</p>}
      <button type="button" className="btn lightbox__btn" aria-label="Close" title="Close" onClick={onClose}>
        <Icon name="remove" />
      </button>
      {share && <ShareButton className="lightbox__btn lightbox__btn--share" {...share} />}
    </dialog>
  );
}
