# SPDX-License-Identifier: BSD-2-Clause
HV_SRCS += hv/main.c
HV_SRCS += $(addprefix hv/core/, claims.c cpuid_mask.c cpuid_policy.c cpus.c domain.c domain0.c domain_mem.c event.c fmt.c frame.c gmem.c guest_walk.c \
	insn_decode.c insn_exec.c irq.c irq_level.c log.c machine.c memory.c msr_policy.c notify.c options.c page.c panic.c pcpu.c policy.c ram.c readiness.c \
	sched.c service.c symtab.c timer.c trace.c trace_ring.c vcpu.c vcpu_record.c vcpu_state.c)
HV_SRCS += $(addprefix hv/mgmt/, mgmt.c mgmt_domain.c mgmt_irq.c mgmt_mem.c mgmt_notify.c mgmt_pirq.c mgmt_route.c mgmt_state.c mgmt_system.c mgmt_trace.c mgmt_vcpu.c)
HV_SRCS += $(addprefix hv/vapic/, deliver.c vapic.c vapic_newer.c vlapic.c vlapic_base.c vlapic_event.c vlapic_icr.c vlapic_lvt.c vlapic_map.c vlapic_reg.c \
	vlapic_state.c vlapic_timer.c vlapic_write.c)
HV_SRCS += $(addprefix hv/exit/, apic.c apic_fast.c cpuid.c cr.c emulate.c exit.c hlt.c hypercall.c intr.c io.c mmio.c msr.c run.c traced.c)
HV_SRCS += $(addprefix hv/irqchip/, irqchip.c irqchip_state.c latency.c vioapic.c vpic.c vpit.c)
HV_SRCS += $(addprefix hv/route/, doorbell.c hazard.c notifier.c pirq.c route.c route_word.c)
