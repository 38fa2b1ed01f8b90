// SPDX-License-Identifier: BSD-2-Clause
//
// The differentiated system description table of domains: what a guest must know of the devices of mgmt/devices that its other tables do
// not say. ACPI Specification 6.5: 6.2.13 _PRT, 7.4.2 _Sx, 5.8.1 _PIC. The power button is the fixed one of the PM1 event registers,
// which needs no object here (4.8.2.2.1.1).
//
// PCI: slots 1 to 8; pin p (0: INTA) of slot s has GSI 16 + (s + p) % 8 of the I/O APIC, and line 10 + (s + p) % 2
// of the PICs.
DefinitionBlock ("dsdt.aml", "DSDT", 2, "SIGBOX", "DOMAIN", 1)
{
    Name (\_S5, Package () { 0, 0, 0, 0 })      // SLP_TYP: ACPI_PM_S5 of mgmt/devices/acpi_pm.h

    Name (PICM, 0)
    Method (\_PIC, 1) { PICM = Arg0 }

    Scope (\_SB)
    {
        Device (PCI0)
        {
            Name (_HID, EisaId ("PNP0A03"))
            Name (_UID, 0)
            Name (_BBN, 0)
            Name (_CRS, ResourceTemplate ()
            {
                WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode, 0, 0, 0, 0, 1)
                IO (Decode16, 0xCF8, 0xCF8, 1, 8)
                WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange, 0, 0x0000, 0x0CF7, 0, 0x0CF8)
                WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange, 0, 0x0D00, 0xFFFF, 0, 0xF300)
                // PLAN_GAP of mgmt/builder/plan.h, up to the I/O APIC
                DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, NonCacheable, ReadWrite,
                    0, 0xC0000000, 0xFEBFFFFF, 0, 0x3EC00000)
            })
            Method (_PRT, 0, Serialized)
            {
                Local0 = Package (32) {}
                Local1 = 0
                While (Local1 < 32)
                {
                    Local3 = (Local1 >> 2) + 1 // the slot
                    Local4 = Local1 & 3
                    Local2 = Package (4) { 0, 0, 0, 0 }
                    Local2 [0] = (Local3 << 16) | 0xFFFF
                    Local2 [1] = Local4
                    If (PICM) { Local2 [3] = 16 + ((Local3 + Local4) & 7) }
                    Else { Local2 [3] = 10 + ((Local3 + Local4) & 1) }
                    Local0 [Local1] = Local2
                    Local1++
                }
                Return (Local0)
            }
        }

        Device (COM1)
        {
            Name (_HID, EisaId ("PNP0501"))
            Name (_UID, 1)
            Name (_STA, 0x0F)
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, 0x3F8, 0x3F8, 0, 8)
                IRQNoFlags () { 4 }
            })
        }

        Device (RTC)
        {
            Name (_HID, EisaId ("PNP0B00"))
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, 0x70, 0x70, 0, 2)
                IRQNoFlags () { 8 }
            })
        }

        Device (PMR) // the power management registers are nobody else's
        {
            Name (_HID, EisaId ("PNP0C02"))
            Name (_UID, 1)
            Name (_CRS, ResourceTemplate () { IO (Decode16, 0x600, 0x600, 0, 12) })
        }

        Device (PEVT) // mgmt/devices/panic_port.h
        {
            Name (_HID, "QEMU0001")
            Name (_STA, 0x0F)
            Name (_CRS, ResourceTemplate () { IO (Decode16, 0x505, 0x505, 1, 1) })
        }

        // Virtio devices as pages of registers (mgmt/shell/guest_virtio.h): one is there when its magic number is.
        Method (VSTA, 1, Serialized)
        {
            OperationRegion (VREG, SystemMemory, 0xFED00000 + (Arg0 << 12), 4)
            Field (VREG, DWordAcc, NoLock, Preserve) { MAGC, 32 }
            If (MAGC == 0x74726976) { Return (0x0F) }
            Return (0)
        }
        Method (VCRS, 2, Serialized)
        {
            Name (RBUF, ResourceTemplate ()
            {
                Memory32Fixed (ReadWrite, 0, 0x1000, VMEM)
                Interrupt (ResourceConsumer, Level, ActiveHigh, Exclusive, , , VINT) { 0 }
            })
            CreateDWordField (RBUF, VMEM._BAS, BASE)
            CreateDWordField (RBUF, VINT._INT, LINE)
            BASE = 0xFED00000 + (Arg0 << 12)
            LINE = Arg1
            Return (RBUF)
        }
        Device (VM00)
        {
            Name (_HID, "LNRO0005")
            Name (_UID, 0)
            Method (_STA) { Return (VSTA (0)) }
            Method (_CRS) { Return (VCRS (0, 5)) }
        }
        Device (VM01)
        {
            Name (_HID, "LNRO0005")
            Name (_UID, 1)
            Method (_STA) { Return (VSTA (1)) }
            Method (_CRS) { Return (VCRS (1, 10)) }
        }
        Device (VM02)
        {
            Name (_HID, "LNRO0005")
            Name (_UID, 2)
            Method (_STA) { Return (VSTA (2)) }
            Method (_CRS) { Return (VCRS (2, 11)) }
        }
        Device (VM03)
        {
            Name (_HID, "LNRO0005")
            Name (_UID, 3)
            Method (_STA) { Return (VSTA (3)) }
            Method (_CRS) { Return (VCRS (3, 3)) }
        }
        Device (VM04)
        {
            Name (_HID, "LNRO0005")
            Name (_UID, 4)
            Method (_STA) { Return (VSTA (4)) }
            Method (_CRS) { Return (VCRS (4, 6)) }
        }
        Device (VM05)
        {
            Name (_HID, "LNRO0005")
            Name (_UID, 5)
            Method (_STA) { Return (VSTA (5)) }
            Method (_CRS) { Return (VCRS (5, 7)) }
        }
        Device (VM06)
        {
            Name (_HID, "LNRO0005")
            Name (_UID, 6)
            Method (_STA) { Return (VSTA (6)) }
            Method (_CRS) { Return (VCRS (6, 14)) }
        }
        Device (VM07)
        {
            Name (_HID, "LNRO0005")
            Name (_UID, 7)
            Method (_STA) { Return (VSTA (7)) }
            Method (_CRS) { Return (VCRS (7, 15)) }
        }
    }
}
