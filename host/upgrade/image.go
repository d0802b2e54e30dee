package upgrade

import (
	"bytes"
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
)

// checkImage looks whether the file is a program for this system and processor.
func checkImage(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("it is no file")
	}
	kind, arch, err := imageOf(f)
	if err != nil {
		return err
	}
	if kind != thisSystem || arch != runtime.GOARCH {
		return fmt.Errorf("it is a program for %s on %s, and this is %s on %s", kind, arch, thisSystem, runtime.GOARCH)
	}
	return nil
}

// imageOf reads for which kind of system and processor a program is.
func imageOf(r io.ReaderAt) (kind, arch string, err error) {
	var head [8]byte
	n, err := r.ReadAt(head[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", "", err
	}
	begins := func(magic string) bool { return bytes.HasPrefix(head[:n], []byte(magic)) }
	switch {
	case begins("MZ"):
		return imagePE(r)
	case begins(elf.ELFMAG):
		return imageELF(r)
	case begins("\xcf\xfa\xed\xfe"), begins("\xca\xfe\xba\xbe"):
		return imageMachO(r)
	case begins("PK"), begins("\x1f\x8b"), begins("7z"), begins("\x28\xb5\x2f\xfd"):
		return "", "", errors.New("it is an archive: unpack it first")
	case begins("#!"):
		return "", "", errors.New("it is a script")
	case n == 0:
		return "", "", errors.New("it is empty")
	}
	return "", "", errors.New("it is no program")
}

// The kinds of systems by the form of their programs.
const (
	windowsPE = "Windows"
	unixELF   = "Linux or BSD"
	appleMach = "macOS"
)

func damaged(err error) error { return fmt.Errorf("it is no whole program: %w", err) }

func imagePE(r io.ReaderAt) (kind, arch string, err error) {
	f, err := pe.NewFile(r)
	if err != nil {
		return "", "", damaged(err)
	}
	if f.Characteristics&pe.IMAGE_FILE_EXECUTABLE_IMAGE == 0 || f.Characteristics&pe.IMAGE_FILE_DLL != 0 {
		return "", "", errors.New("it is a library, no program")
	}
	for _, s := range f.Sections {
		if err := reaches(r, int64(s.Offset), int64(s.Size)); err != nil {
			return "", "", err
		}
	}
	switch f.Machine {
	case pe.IMAGE_FILE_MACHINE_AMD64:
		arch = "amd64"
	case pe.IMAGE_FILE_MACHINE_ARM64:
		arch = "arm64"
	case pe.IMAGE_FILE_MACHINE_I386:
		arch = "386"
	default:
		arch = fmt.Sprintf("machine %#x", f.Machine)
	}
	return windowsPE, arch, nil
}

func imageELF(r io.ReaderAt) (kind, arch string, err error) {
	f, err := elf.NewFile(r)
	if err != nil {
		return "", "", damaged(err)
	}
	if f.Type != elf.ET_EXEC && f.Type != elf.ET_DYN {
		return "", "", errors.New("it is no program but an object or a dump")
	}
	for _, s := range f.Sections {
		if s.Type == elf.SHT_NOBITS {
			continue
		}
		if err := reaches(r, int64(s.Offset), int64(s.FileSize)); err != nil {
			return "", "", err
		}
	}
	switch f.Machine {
	case elf.EM_X86_64:
		arch = "amd64"
	case elf.EM_AARCH64:
		arch = "arm64"
	case elf.EM_386:
		arch = "386"
	case elf.EM_ARM:
		arch = "arm"
	case elf.EM_RISCV:
		arch = "riscv64"
	default:
		arch = f.Machine.String()
	}
	return unixELF, arch, nil
}

func imageMachO(r io.ReaderAt) (kind, arch string, err error) {
	cpu := func(c macho.Cpu) string {
		if c == macho.CpuAmd64 {
			return "amd64"
		}
		if c == macho.CpuArm64 {
			return "arm64"
		}
		return c.String()
	}
	if fat, err := macho.NewFatFile(r); err == nil { // several programs in one
		for _, a := range fat.Arches {
			if arch = cpu(a.Cpu); arch == runtime.GOARCH {
				break
			}
		}
		return appleMach, arch, nil
	}
	f, err := macho.NewFile(r)
	if err != nil {
		return "", "", damaged(err)
	}
	if f.Type != macho.TypeExec {
		return "", "", errors.New("it is a library, no program")
	}
	return appleMach, cpu(f.Cpu), nil
}

// reaches notices a file that was cut short.
func reaches(r io.ReaderAt, at, size int64) error {
	if size == 0 {
		return nil
	}
	var b [1]byte
	if _, err := r.ReadAt(b[:], at+size-1); err != nil {
		return damaged(errors.New("it is cut short"))
	}
	return nil
}
