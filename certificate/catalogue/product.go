// Package catalogue knows vaccine products: their printed names in Japanese and
// English, maker, type and codes, each with the dates on which it holds.
//
// The lists are data files under data/ with origin, licence and date; a
// certificate stores the version it was composed with.
package catalogue

// Product is one vaccine product as it stood on one date.
type Product struct {
	ID           string `json:"id"`        // stable, such as "comirnaty-ba1"
	Programme    string `json:"programme"` // "covid19"
	NameJA       string `json:"name_ja"`   // コミナティ（BA.1）
	NameEN       string `json:"name_en"`   // COMIRNATY (BA.1)
	MakerJA      string `json:"maker_ja"`
	MakerEN      string `json:"maker_en"`
	TypeJA       string `json:"type_ja"`     // mRNAワクチン
	TypeEN       string `json:"type_en"`     // mRNA
	CVX          string `json:"cvx"`         // SHC vaccineCode
	Disease      string `json:"disease"`     // ICD-11, VDS-NC "dis": RA01.0
	ICD11Class   string `json:"icd11_class"` // VDS-NC "des": XM0GQ8
	ICD11Product string `json:"icd11_product,omitempty"`
	Brand        string `json:"brand"`          // VDS-NC "nam": COMIRNATY
	ICVP         string `json:"icvp,omitempty"` // code of the international catalogue; then there is no CVX and no brand
	Certifiable  bool   `json:"certifiable"`
}
