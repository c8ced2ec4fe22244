// Runs a function of one of our TypeScript modules: node run.mjs sounds/render renderAll public/sounds
import { argv } from "node:process";
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";

const [file, task, ...args] = argv.slice(2);
const path = fileURLToPath(import.meta.resolve(`./${file}.ts`));
const { module } = await runnerImport(path, { configFile: false });
await module[task](args[0], args.slice(1));
