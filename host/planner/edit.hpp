#pragma once
/// \file Rewriting the steps of a Program: what every pass needs.

#include "program/uses.hpp"

namespace matgrad {

/// Drops steps whose results nobody reads, then values that are gone (operands stay).
void remove_dead(Program& program);

/// Writes an entrywise expression, each distinct instruction once.
class BodyWriter {
public:
    explicit BodyWriter(MapBody& body) : body_(body) {}
    int load(const Use& use, Broadcast broadcast = Broadcast::none);
    int constant(double value) { return emit({MapOp::constant, -1, -1, value}); }
    int unary(MapOp op, int a) { return emit({op, a, -1, 0}); }
    int binary(MapOp op, int a, int b) { return emit({op, a, b, 0}); }
    int scale(double factor, int a);
    int offset(double number, int a) { return emit({MapOp::offset, a, -1, number}); }
    int power(double exponent, int a);
    int mask(MapOp shape) { return emit({shape, -1, -1, 0}); }
    int emit(const MapInstruction& instruction);
    /// Makes `result` the last register and drops what it does not need.
    void finish(int result);

private:
    MapBody& body_;
};

}  // namespace matgrad
