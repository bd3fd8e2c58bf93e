package pki

import "encoding/asn1"

// Purposes (extended key usage) of Doc 9303 that this project meets.
var (
	PurposeBarcodeSigner    = asn1.ObjectIdentifier{2, 23, 136, 1, 1, 14, 2}            // VDS-NC
	PurposeVisaSealSigner   = asn1.ObjectIdentifier{2, 23, 136, 1, 1, 11, 1}            // binary VDS
	PurposeHealthDose       = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 1847, 2021, 1, 2} // HC1 codes of doses (spec eu-dcc, 6)
	PurposeMasterListSigner = asn1.ObjectIdentifier{2, 23, 136, 1, 1, 3}
)

// Certificate and revocation list extensions (RFC 5280, 4.2 and 5.2; Doc 9303-12).
var (
	oidSubjectKeyID     = asn1.ObjectIdentifier{2, 5, 29, 14}
	oidKeyUsage         = asn1.ObjectIdentifier{2, 5, 29, 15}
	oidPrivateKeyUsage  = asn1.ObjectIdentifier{2, 5, 29, 16}
	oidSubjectAltName   = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidBasicConstraints = asn1.ObjectIdentifier{2, 5, 29, 19}
	oidCRLNumber        = asn1.ObjectIdentifier{2, 5, 29, 20}
	oidAuthorityKeyID   = asn1.ObjectIdentifier{2, 5, 29, 35}
	oidExtKeyUsage      = asn1.ObjectIdentifier{2, 5, 29, 37}
	oidDocumentTypes    = asn1.ObjectIdentifier{2, 23, 136, 1, 1, 6, 2}
)
