// What we use of Trix, which ships without types.

declare module "trix" {
  interface TrixDocument {
    toString(): string;
    getLength(): number;
  }
  interface TrixEditor {
    getDocument(): TrixDocument;
    getSelectedRange(): [number, number];
    getClientRectAtPosition(position: number): DOMRect | undefined;
    attributeIsActive(name: string): boolean;
    insertAttachment(attachment: unknown): void;
    insertString(text: string): void;
    insertLineBreak(): void;
    setSelectedRange(range: number | [number, number]): void;
    deleteInDirection(direction: "forward" | "backward"): void;
    insertHTML(html: string): void;
    loadHTML(html: string): void;
    recordUndoEntry(description: string): void;
  }
  interface TrixEditorElement extends HTMLElement {
    /** Absent until Trix has taken the element over. */
    readonly editor?: TrixEditor;
    /** What is shown, as HTML: a frame behind what was typed, unless the controller renders first. */
    value: string;
    readonly editorController?: { render(): void };
  }
  const Trix: {
    Attachment: new (attributes: object) => unknown;
    config: {
      blockAttributes: Record<string, { tagName: string; inheritable?: boolean }>;
    };
  };
  export { type TrixDocument, type TrixEditor, type TrixEditorElement };
  export default Trix;
}
