/** A self-signed pair for 127.0.0.1, valid for a hundred years: for tests and for nothing else. */
export const selfSignedCertificate: { readonly cert: string; readonly key: string } = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBkDCCATagAwIBAgIUNRext481Oo4HjyJKDeiuyydYs54wCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJMTI3LjAuMC4xMCAXDTI2MTEyMjEzMDgyNloYDzIxMjYxMDI5
MTMwODI2WjAUMRIwEAYDVQQDDAkxMjcuMC4wLjEwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQEBvgsFuk95hgC5Czt2p/oFTlMJ6E2B7RlXWJyLYJ0AkgG1w0bF6C4
J4saMVLzlisjPamsTFSu+SmqkTlKTIlHo2QwYjAdBgNVHQ4EFgQUJYO6nmDO+tlf
+jpypk4G280tvDQwHwYDVR0jBBgwFoAUJYO6nmDO+tlf+jpypk4G280tvDQwDwYD
VR0TAQH/BAUwAwEB/zAPBgNVHREECDAGhwR/AAABMAoGCCqGSM49BAMCA0gAMEUC
IGThKsgxfUvIdsgNqSy3mt3Qzgf6UyYIywi7RwZ4pa/EAiEAn36k7tvhLNrkSRKy
H6sxG0VMafZTJiHxTHEogkHzME4=
-----END CERTIFICATE-----
`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgKniHR7rx42k6ODey
VTOYc8MEuAzoQz60dTQnzofbImKhRANCAAQEBvgsFuk95hgC5Czt2p/oFTlMJ6E2
B7RlXWJyLYJ0AkgG1w0bF6C4J4saMVLzlisjPamsTFSu+SmqkTlKTIlH
-----END PRIVATE KEY-----
`,
};
