// SPDX-License-Identifier: Apache-2.0

// Blocks of 64 bytes with SSE2, which every amd64 has.

#include "textflag.h"

DATA quotes<>+0(SB)/8, $0x2222222222222222
DATA quotes<>+8(SB)/8, $0x2222222222222222
GLOBL quotes<>(SB), RODATA|NOPTR, $16

DATA slashes<>+0(SB)/8, $0x5c5c5c5c5c5c5c5c
DATA slashes<>+8(SB)/8, $0x5c5c5c5c5c5c5c5c
GLOBL slashes<>(SB), RODATA|NOPTR, $16

// The marks of the 16 bytes in X as the low bits of BITS. X14 has quotes, X13 backslashes.
#define MARK16(X, Y, BITS) \
	MOVO     X, Y;   \
	PCMPEQB  X14, X; \
	PCMPEQB  X13, Y; \
	POR      Y, X;   \
	PMOVMSKB X, BITS

// The same of 16 bytes of b, at SI, and where they equal those of text, at R9, as the low bits of SAME.
#define ALIKE16(offset, X, Y, Z, BITS, SAME) \
	MOVOU    offset(SI), X; \
	MOVOU    offset(R9), Z; \
	PCMPEQB  X, Z;          \
	PMOVMSKB Z, SAME;       \
	MARK16(X, Y, BITS)

// func markBlocks(words *uint64, b *byte, blocks int)
TEXT ·markBlocks(SB), NOSPLIT, $0-24
	MOVQ  words+0(FP), DI
	MOVQ  b+8(FP), SI
	MOVQ  blocks+16(FP), CX
	MOVOU quotes<>(SB), X14
	MOVOU slashes<>(SB), X13

block:
	MOVOU 0(SI), X0
	MOVOU 16(SI), X2
	MOVOU 32(SI), X4
	MOVOU 48(SI), X6
	MARK16(X0, X1, AX)
	MARK16(X2, X3, BX)
	MARK16(X4, X5, DX)
	MARK16(X6, X7, R8)
	SHLQ  $16, BX
	SHLQ  $32, DX
	SHLQ  $48, R8
	ORQ   BX, AX
	ORQ   DX, R8
	ORQ   R8, AX
	MOVQ  AX, (DI)
	ADDQ  $64, SI
	ADDQ  $8, DI
	DECQ  CX
	JNZ   block
	RET

// func alikeBlocks(b, text *byte, marks, free *uint64, blocks int) bool
TEXT ·alikeBlocks(SB), NOSPLIT, $0-41
	MOVQ  b+0(FP), SI
	MOVQ  text+8(FP), R9
	MOVQ  marks+16(FP), DI
	MOVQ  free+24(FP), R10
	MOVQ  blocks+32(FP), CX
	MOVOU quotes<>(SB), X14
	MOVOU slashes<>(SB), X13

block:
	ALIKE16(0, X0, X1, X8, AX, R11)
	ALIKE16(16, X2, X3, X9, BX, R12)
	SHLQ $16, BX
	SHLQ $16, R12
	ORQ  BX, AX
	ORQ  R12, R11
	ALIKE16(32, X4, X5, X10, DX, R13)
	ALIKE16(48, X6, X7, X11, R8, R12)
	SHLQ $32, DX
	SHLQ $32, R13
	SHLQ $48, R8
	SHLQ $48, R12
	ORQ  DX, R8
	ORQ  R13, R12
	ORQ  R8, AX
	ORQ  R12, R11
	ORQ  (R10), R11 // equal or free: all bits
	NOTQ R11
	XORQ (DI), AX   // the same marks: no bit
	ORQ  R11, AX
	JNZ  differs
	ADDQ $64, SI
	ADDQ $64, R9
	ADDQ $8, DI
	ADDQ $8, R10
	DECQ CX
	JNZ  block
	MOVB $1, ret+40(FP)
	RET

differs:
	MOVB $0, ret+40(FP)
	RET
