#pragma once
#define CLK(bank, bit)		((bank) * 32 + (bit))
#define CLK_UART(n)		CLK(1, 4 + (n))
#define MHZ(n)			(n ## 000000)
#define NAMED(name)		#name
#define FIRST(a, ...)		a
#define REST(a, rest...)	rest
#define LIST(...)		<0 , ## __VA_ARGS__>
#define EMPTY
#define SAME SAME
#define PING PONG
#define PONG PING
