import { domainToASCII } from 'node:url';

/** Before each domain that is to be proved: where its TXT record stands. */
export const CHALLENGE_LABEL = '_rollcall-challenge';

/** So that the name of the TXT record fits into the 253 characters of DNS (RFC 1035 section 3.1). */
const MAX_LENGTH = 253 - `${CHALLENGE_LABEL}.`.length;

/** Letters, digits and hyphens (RFC 1123 section 2.1), two labels or more; an address has digits alone at its end. */
const NAME =
  /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?=[a-z0-9-]*[a-z])[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** What may stand in an internationalized name; everything else means something to a parser of URLs. */
const PLAIN = /^[\p{L}\p{M}\p{N}.-]+$/u;

/** A domain name as DNS has it: lower case, punycode. Undefined: the text is none, or is one with a wildcard. */
export function domainName(text: string): string | undefined {
  if (!PLAIN.test(text)) return undefined;
  const name = domainToASCII(text);
  return name.length <= MAX_LENGTH && NAME.test(name) ? name : undefined;
}

/** The domain of an e-mail address: what stands behind its last @. */
export function domainOfEmail(email: string): string | undefined {
  const at = email.lastIndexOf('@');
  return at > 0 ? domainName(email.slice(at + 1)) : undefined;
}

/**
 * Where anybody gets an address: to own such a domain would be to own its users. Taken from the sign-up pages of the
 * providers themselves; the list need not be complete, because nobody else can set the record that proves a domain.
 */
const PUBLIC_MAIL = new Set(
  `gmail.com googlemail.com outlook.com outlook.de outlook.fr hotmail.com hotmail.co.uk hotmail.de hotmail.fr live.com
   msn.com yahoo.com yahoo.co.jp yahoo.co.uk yahoo.de yahoo.fr ymail.com rocketmail.com aol.com icloud.com me.com mac.com
   proton.me protonmail.com pm.me tuta.com tutanota.com fastmail.com hey.com zoho.com zohomail.com zohomail.eu mail.com
   gmx.com gmx.net gmx.de gmx.at gmx.ch web.de t-online.de freenet.de posteo.de mailbox.org bluewin.ch orange.fr
   wanadoo.fr free.fr laposte.net sfr.fr libero.it virgilio.it wp.pl o2.pl onet.pl seznam.cz mail.ru bk.ru list.ru
   inbox.ru yandex.com yandex.ru rambler.ru ukr.net btinternet.com sky.com comcast.net verizon.net att.net cox.net
   rogers.com shaw.ca bigpond.com qq.com foxmail.com 163.com 126.com yeah.net sina.com naver.com daum.net hanmail.net
   docomo.ne.jp rediffmail.com uol.com.br bol.com.br terra.com.br mailinator.com guerrillamail.com`.split(
    /\s+/,
  ),
);

export function isPublicMailDomain(name: string): boolean {
  return PUBLIC_MAIL.has(name);
}
