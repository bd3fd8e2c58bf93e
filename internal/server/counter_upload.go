package server

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"

	"akashi/internal/counter"
	"akashi/internal/fault"
)

var uploadType = []string{"multipart/form-data"}

// maxUpload is the largest part of a form that is no file, and what a file's form has around it.
const maxUpload = 4 << 10

// upload reads a form with one file, which becomes the body of the API's operation.
func (s *Server) upload(c *call) (counter.Form, error) {
	bad := fault.New(fault.Invalid, "form_syntax", "")
	_, params, err := mime.ParseMediaType(c.request.Header.Get("Content-Type"))
	if err != nil {
		return counter.Form{}, bad
	}
	f, r := counter.Form{Values: map[string][]string{}}, multipart.NewReader(bytes.NewReader(c.body), params["boundary"])
	c.body = nil
	for range maxParts {
		p, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return f, bad
		}
		b, err := io.ReadAll(p)
		switch name := p.FormName(); {
		case err != nil || f.Values.Has(name) || name != "file" && len(b) > maxUpload:
			return f, bad
		case name == "file":
			c.body = b
			f.Values.Set(name, "") // what is in it, and its name, are shown nowhere
		default:
			f.Values.Set(name, string(b))
		}
	}
	if err := s.opened(c, &f); err != nil {
		return f, err
	}
	if len(bytes.TrimSpace(c.body)) == 0 {
		return f, fault.New(fault.Invalid, "file_empty", "file")
	}
	return f, nil
}

// maxParts is the largest number of fields of a form with a file.
const maxParts = 4
