package vdsnc

import "akashi/passport"

// readData checks the data against the schema and limits (step 2) and takes over its values.
func (b *Barcode) readData(tree any) error {
	r := &reader{}
	data := r.object(tree, "data")
	header := data.child("hdr")
	b.Type = header.oneOf("t", TypeVaccination, TypeTest)
	b.Version = header.integer("v", Version, Version)
	b.Issuer = header.state("is")
	header.closed()
	message := data.child("msg")
	data.closed()
	switch b.Type {
	case TypeVaccination:
		b.readVaccination(message)
	case TypeTest:
		b.readTest(message)
	}
	message.open()
	b.Notes = append(b.Notes, r.notes...)
	b.Unknown = r.unknown
	if r.err != nil {
		return r.err
	}
	return nil
}

func (b *Barcode) readVaccination(message members) {
	b.ID = message.text("uvci", maxIdentifier)
	b.Person = readPerson(message.child("pid"))
	for _, event := range message.list("ve") {
		v := Vaccination{
			Vaccine: event.text("des", maxCode),
			Brand:   event.text("nam", 0),
			Disease: event.optionalText("dis", maxCode),
		}
		for _, dose := range event.list("vd") {
			v.Doses = append(v.Doses, readDose(dose))
		}
		event.open()
		b.Vaccinations = append(b.Vaccinations, v)
	}
}

func readPerson(pid members) Person {
	p := Person{Name: pid.text("n", maxName)}
	if !pid.has("i") || pid.has("dob") {
		p.BirthDate = pid.birthDate("dob")
	}
	if pid.has("i") {
		p.Number = passport.NewNumber(pid.text("i", maxDocumentNumber))
	}
	p.OtherID = pid.optionalText("ai", maxOtherID)
	if pid.has("sex") {
		p.Sex = pid.oneOf("sex", "M", "F", "X")
	}
	pid.closed()
	return p
}

func readDose(dose members) Dose {
	d := Dose{
		Date:    dose.date("dvc"),
		Number:  dose.integer("seq", 1, maxSequence),
		Country: dose.state("ctr"),
		Centre:  dose.text("adm", maxPlace),
		Lot:     dose.text("lot", maxPlace),
	}
	if dose.has("dvn") {
		d.Next = dose.date("dvn")
	}
	dose.open()
	return d
}

func (b *Barcode) readTest(message members) {
	b.ID = message.text("utci", maxIdentifier)
	pid := message.child("pid")
	b.Person = Person{
		Name:         pid.text("n", maxName),
		BirthDate:    pid.birthDate("dob"),
		DocumentType: pid.oneOf("dt", "P", "A", "C", "I", "AC", "V", "D"),
		Number:       passport.NewNumber(pid.text("dn", maxOtherID)),
	}
	pid.closed()
	provider, dates, result := message.child("sp"), message.child("dat"), message.child("tr")
	contact := provider.child("cd")
	b.Test = &Test{
		Provider:   provider.text("spn", maxPlace),
		Country:    provider.state("ctr"),
		Phone:      contact.text("p", maxPhone),
		Email:      contact.text("e", 0),
		Address:    contact.text("a", 0),
		SampledAt:  dates.moment("sc"),
		ReportedAt: dates.moment("ri"),
		Kind:       result.oneOf("tc", "molecular(PCR)", "molecular(other)", "antigen", "antibody"),
		Result:     result.oneOf("r", "normal", "abnormal", "positive", "negative"),
		Optional:   message.optionalText("opt", maxPlace),
	}
	if result.has("m") {
		b.Test.Method = result.oneOf("m", "nasopharyngeal", "oropharyngeal", "saliva", "blood", "other")
	}
	for _, part := range []members{provider, contact, dates, result} {
		part.open()
	}
}
