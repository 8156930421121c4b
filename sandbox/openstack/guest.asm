; The boot sector of the sandbox's guest: it writes what it finds at the beginning of sector 1 of
; every disk to the first serial port, and so into Nova's console log. Then it rests.
;
;       guest: booted
;       disk 0: <text of the boot disk's sector 1, up to the first zero byte>
;       disk 1: <the same of the second disk, where there is one>
;       guest: done

bits 16
org 0x7c00

FIRST_DISK  equ 0x80
LAST_DISK   equ 0x87
LONGEST     equ 128             ; letters of a disk's text
BUFFER      equ 0x8000
SERIAL      equ 0x3f8           ; COM1; five further is its line status

start:
        xor     ax, ax
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     sp, 0x7c00
        mov     si, booted
        call    print

disk:
        mov     si, packet
        mov     word [packet.count], 1  ; the BIOS writes here how many it has read
        mov     dl, [number]
        mov     ah, 0x42                ; extended read
        int     0x13
        jc      next
        mov     si, label
        call    print
        mov     al, [number]
        sub     al, FIRST_DISK - '0'
        call    put
        mov     si, colon
        call    print
        mov     byte [BUFFER + LONGEST], 0
        mov     si, BUFFER
        call    print
        mov     si, newline
        call    print
next:
        inc     byte [number]
        cmp     byte [number], LAST_DISK
        jbe     disk
        mov     si, done
        call    print
rest:
        hlt
        jmp     rest

; Writes the text at SI, which a zero byte ends.
print:
        lodsb
        test    al, al
        jz      .end
        call    put
        jmp     print
.end:
        ret

; Writes the letter in AL.
put:
        push    ax
        mov     dx, SERIAL + 5
.wait:
        in      al, dx
        test    al, 0x20                ; ready for the next one
        jz      .wait
        pop     ax
        mov     dx, SERIAL
        out     dx, al
        ret

number  db      FIRST_DISK
booted  db      "guest: booted"
newline db      13, 10, 0
label   db      "disk ", 0
colon   db      ": ", 0
done    db      "guest: done", 13, 10, 0

        align   4
packet:
        db      16, 0
.count  dw      1
        dw      BUFFER, 0               ; offset and segment
        dq      1                       ; the sector

; Glance wants a boot sector to have a partition: this one is the rest of the disk.
        times   446 - ($ - $$) db 0
        db      0x80, 0, 2, 0           ; bootable; its first sector, as heads and cylinders
        db      0x83, 0, 2, 0           ; Linux
        dd      1, 2047                 ; its first sector, and how many
        times   510 - ($ - $$) db 0
        dw      0xaa55
