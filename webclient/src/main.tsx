import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app";
import { startInstalled } from "./installed";

// Alphabetical, so that the cascade never depends on who imports whom.
import.meta.glob("./styles/*.css", { eager: true });

startInstalled();
createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
