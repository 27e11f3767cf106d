import { ConfigError, InputError, readConfig } from "aspectlens";

try {
  await readConfig("absent.json");
} catch (error) {
  if (!(error instanceof InputError)) throw error;
  console.log(error instanceof ConfigError, error.message);
  console.log({ file: error.file, line: error.line, cure: error.cure });
}
