#define SIZE 2
