/** Anything shorter would be found in ordinary words. */
const shortestSecret = 6

/** Values of variables with such names are secrets. */
const secretName = /KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL/i

export function isSecretName(name: string): boolean {
  return secretName.test(name)
}

/** Takes values out of texts that others will read: errors, outputs, the log. */
export function withoutSecrets(text: string, secrets: Iterable<string>): string {
  let clean = text
  for (const secret of [...secrets].sort((left, right) => right.length - left.length)) {
    if (secret.length >= shortestSecret) clean = clean.replaceAll(secret, '[redacted]')
  }
  return clean
}
