export { selfSignedCertificate } from "@plugboard/testkit";
