// Objects of one size from chunks that are never given back: what 5,000 connections have needed
// once serves the next 5,000. One thread.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace minke::netd {

template <typename T>
class Slab {
 public:
  Slab() = default;
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;

  T* make() {
    if (free_ == nullptr) grow();
    Cell* cell = std::exchange(free_, free_->next);
    ++used_;
    return new (cell) T();
  }
  void free(T* object) {
    object->~T();
    Cell* cell = reinterpret_cast<Cell*>(object);
    cell->next = free_;
    free_ = cell;
    --used_;
  }
  std::size_t used() const { return used_; }

 private:
  union Cell {
    Cell() : next(nullptr) {}
    ~Cell() {}
    Cell* next;
    T object;
  };
  static constexpr std::size_t kChunk = 64;

  void grow() {
    chunks_.push_back(std::make_unique<Cell[]>(kChunk));
    for (std::size_t i = kChunk; i-- > 0;) {
      chunks_.back()[i].next = free_;
      free_ = &chunks_.back()[i];
    }
  }

  std::vector<std::unique_ptr<Cell[]>> chunks_;
  Cell* free_ = nullptr;
  std::size_t used_ = 0;
};

}  // namespace minke::netd
