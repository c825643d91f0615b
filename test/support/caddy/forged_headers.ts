/** Headers that clients forge, because some app trusts them. */

/** Headers of a guard, a CDN or a web server that apps trust for the user, the address or the page. */
export const trustedNames = [
  ...["User", "Id", "Groups", "Email", "Name"].map((name) => `Remote-${name}`),
  // Jupyter, Kubernetes, Nexus.
  ...["User", "Group", "Addr"].map((name) => `X-Remote-${name}`),
  ...["For", "Host", "Proto", "Uri", "Method", "User", "Groups", "Email"].map((name) => `X-Forwarded-${name}`),
  ...["Forwarded", "X-Original-Forwarded-For"],
  // Gitea, Grafana; oauth2-proxy; authentik; Kong and Google; OpenSearch; caddy-security.
  ...["X-WebAuth-User", "X-WebAuth-Email", "X-WebAuth-Role", "X-Auth-Request-User", "X-Auth-Request-Email"],
  ...["X-authentik-username", "X-authentik-groups", "X-Authenticated-User", "X-Authenticated-Userid"],
  ...["X-Goog-Authenticated-User-Email", "Cf-Access-Authenticated-User-Email", "X-Proxy-User", "X-Proxy-Roles"],
  ...["X-Token-User-Email", "X-Token-Subject", "X-User", "X-Username", "X-Auth-User", "X-Auth-Username"],
  // Certificates: RFC 9440, Keycloak, Spring.
  ...["Client-Cert", "SSL-Client-Cert", "X-SSL-Client-S-DN", "X-Client-Cert"],
  // Addresses: Gin, Vaultwarden, chi, Cloudflare, Akamai, Rails.
  ...["X-Real-IP", "True-Client-IP", "CF-Connecting-IP", "CF-Connecting-IPv6", "X-Client-IP", "Client-IP"],
  ...["X-Cluster-Client-IP", "Fastly-Client-IP", "X-Originating-IP"],
  // Pages: IIS, Symfony, Laminas. HTTP_PROXY of CGI programs (httpoxy).
  ...["X-Original-URL", "X-Original-URI", "X-Rewrite-URL", "Proxy"],
];

/** Names that are the same to some app. */
export const trustedNameSpellings = [
  (name: string) => name,
  (name: string) => name.toUpperCase(),
  (name: string) => name.toLowerCase(),
  (name: string) => name.replaceAll("-", "_"),
  (name: string) => name.toUpperCase().replaceAll("-", "."),
];
