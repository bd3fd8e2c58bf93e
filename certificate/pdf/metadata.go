package pdf

import (
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"
	"unicode/utf16"
)

const producer = "Akashi"

// xmp is the metadata packet; it says the same as the Info dictionary and
// nothing about the person (ISO 19005-2, 6.6).
const xmp = "<?xpacket begin=\"\uFEFF\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>" + `
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">%s</rdf:li></rdf:Alt></dc:title>
<xmp:CreateDate>%s</xmp:CreateDate><xmp:ModifyDate>%[2]s</xmp:ModifyDate>
<pdf:Producer>%s</pdf:Producer>
<pdfaid:part>2</pdfaid:part><pdfaid:conformance>U</pdfaid:conformance>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>`

// title is what a file of certificates is called: as the first of them.
func (l *labels) title(preview bool) string {
	label := l.Labels["title"]
	title := label.JA + " / " + label.EN
	if label.FR != "" {
		title = label.EN + " / " + label.FR
	}
	if preview {
		title = l.Labels["preview.across"].JA + " " + title
	}
	return title
}

// writeMetadata writes XMP and Info. The date is the certificate's, or the batch's, so
// that the same copy has the same bytes.
func (d *file) writeMetadata() {
	var escaped strings.Builder
	_ = xml.EscapeText(&escaped, []byte(d.title))
	d.w.stream(d.metadata, "/Type/Metadata/Subtype/XML", fmt.Appendf(nil, xmp, escaped.String(), d.at.Format(time.RFC3339), producer))
	date := pdfDate(d.at)
	d.w.plain(d.info, fmt.Appendf(nil, "<</Title%s/Producer(%s)/CreationDate(D:%s)/ModDate(D:%s)>>", textString(d.title), producer, date, date))
}

// pdfDate writes a time (ISO 32000-1, 7.9.4) with its zone in full: pdfcpu reads
// no other form.
func pdfDate(t time.Time) string { return t.UTC().Format("20060102150405") + "+00'00'" }

// textString writes a text as UTF-16 in hexadecimal (ISO 32000-1, 7.9.2.2).
func textString(s string) string {
	b := []byte("<FEFF")
	for _, u := range utf16.Encode([]rune(s)) {
		b = appendHex(b, u)
	}
	return string(append(b, '>'))
}

// sRGB returns the deflated colour profile of the output intent: an ICC profile
// of version 2.4, which PDF/A-1 readers know too, with the primaries and the tone
// curve of IEC 61966-2-1, white adapted to D50.
var sRGB = sync.OnceValue(func() []byte {
	fixed := func(kind string, values ...float64) []byte {
		b := append([]byte(kind), 0, 0, 0, 0)
		for _, v := range values {
			b = binary.BigEndian.AppendUint32(b, uint32(int32(v*65536+0.5)))
		}
		return b
	}
	description := append([]byte("desc\x00\x00\x00\x00\x00\x00\x00\x12sRGB IEC61966-2-1\x00"), make([]byte, 4+4+2+1+67)...)
	const points = 64
	curve := []byte{'c', 'u', 'r', 'v', 0, 0, 0, 0, 0, 0, 0, points}
	for i := range points {
		v := float64(i) / (points - 1)
		if v <= 0.04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		curve = binary.BigEndian.AppendUint16(curve, uint16(v*65535+0.5))
	}
	tags := []struct {
		name string
		data []byte
	}{
		{"desc", description},
		{"cprt", []byte("text\x00\x00\x00\x00No copyright, use freely\x00")},
		{"wtpt", fixed("XYZ ", 0.9642, 1, 0.8249)},
		{"chad", fixed("sf32", 1.04791, 0.02293, -0.05019, 0.02960, 0.99046, -0.01707, -0.00925, 0.01506, 0.75179)},
		{"rXYZ", fixed("XYZ ", 0.43607, 0.22249, 0.01392)},
		{"gXYZ", fixed("XYZ ", 0.38515, 0.71687, 0.09708)},
		{"bXYZ", fixed("XYZ ", 0.14307, 0.06061, 0.71410)},
		{"rTRC", curve}, {"gTRC", curve}, {"bTRC", curve},
	}
	table := binary.BigEndian.AppendUint32(nil, uint32(len(tags)))
	var data []byte
	start := 128 + 4 + 12*len(tags)
	for i, t := range tags {
		if i < len(tags)-2 { // the three curves share one place
			for len(data)%4 != 0 {
				data = append(data, 0)
			}
			data = append(data, t.data...)
		}
		table = append(table, t.name...)
		table = binary.BigEndian.AppendUint32(table, uint32(start+len(data)-len(t.data)))
		table = binary.BigEndian.AppendUint32(table, uint32(len(t.data)))
	}
	header := make([]byte, 128)
	binary.BigEndian.PutUint32(header, uint32(start+len(data)))
	binary.BigEndian.PutUint32(header[8:], 0x02400000)
	copy(header[12:], "mntrRGB XYZ ")
	for i, v := range []uint16{2021, 7, 26, 0, 0, 0} {
		binary.BigEndian.PutUint16(header[24+2*i:], v)
	}
	copy(header[36:], "acsp")
	copy(header[68:], fixed("", 0.9642, 1, 0.8249)[4:])
	return deflateBest(append(append(header, table...), data...))
})
