import type { DetailedHTMLProps, HTMLAttributes } from "react";
import type { TrixEditorElement } from "trix";

declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      "trix-editor": DetailedHTMLProps<HTMLAttributes<TrixEditorElement>, TrixEditorElement> & {
        input?: string;
        toolbar?: string;
        class?: string;
      };
      "trix-toolbar": DetailedHTMLProps<HTMLAttributes<HTMLElement>, HTMLElement>;
    }
  }
}
