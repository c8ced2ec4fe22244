import { useEffect, useState } from "react";
import { Icon } from "../ui/icon";

/** Where a file held over the window would go. Dropping it anywhere ends there, never in the browser's own view of it. */
export function DropZone({ onFiles }: { onFiles: () => void }) {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const held = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      event.stopPropagation();
      event.dataTransfer.dropEffect = "copy";
      setOver(true);
    };
    const left = (event: DragEvent) => {
      if (event.relatedTarget === null) setOver(false); // out of the window
    };
    const dropped = (event: DragEvent) => {
      setOver(false);
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      event.stopPropagation();
      onFiles();
    };
    // Before the editor, which would take a file for a picture.
    const first = { capture: true };
    document.addEventListener("dragenter", held, first);
    document.addEventListener("dragover", held, first);
    document.addEventListener("dragleave", left, first);
    document.addEventListener("drop", dropped, first);
    return () => {
      document.removeEventListener("dragenter", held, first);
      document.removeEventListener("dragover", held, first);
      document.removeEventListener("dragleave", left, first);
      document.removeEventListener("drop", dropped, first);
    };
  }, [onFiles]);
  if (!over) return null;
  return (
    <div className="message-area__drop-zone" data-testid="drop-zone">
      <div>
        <Icon name="attachment" />
        <strong>File sharing available in v2.0</strong>
      </div>
    </div>
  );
}
