/** What is weaker in the settings than is recommended. */
import { type Config, recommendedIterations, settings } from "./config.ts";

/** NIST SP 800-63B-4, 3.1.1.2: where the password is the only factor. */
const recommendedPasswordLength = 15;

/** A text for each weak setting, with the value to set; for the log at every start. */
export function configWarnings(config: Config): string[] {
  const { pbkdf2Iterations, passwordMinLength, loginErrors } = settings;
  const warnings: string[] = [];
  if (config.pbkdf2Iterations < recommendedIterations) {
    warnings.push(
      `${pbkdf2Iterations.name} is ${config.pbkdf2Iterations}, which makes the passwords of a stolen ` +
        `register cheap to guess: set it to ${recommendedIterations} or more, as OWASP recommends`,
    );
  }
  if (config.passwordMinLength < recommendedPasswordLength) {
    warnings.push(
      `${passwordMinLength.name} is ${config.passwordMinLength}, which is short for a password that stands ` +
        `alone: set it to ${recommendedPasswordLength} or more, as NIST SP 800-63B-4 demands`,
    );
  }
  if (config.loginErrors === "exact") {
    warnings.push(
      `${loginErrors.name} is "exact", which tells anyone who asks which logins exist: set it to "uniform" ` +
        "anywhere but in a lesson",
    );
  }
  return warnings;
}
