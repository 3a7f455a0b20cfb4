// Objects found by hash, chained through themselves; grows by doubling. T has `T* chain` and
// `std::uint64_t hash`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace minke::netd {

template <typename T>
class HashTable {
 public:
  // The first of those with this hash or of others of its bucket; follow `chain`, compare `hash`.
  T* first(std::uint64_t hash) const {
    return buckets_.empty() ? nullptr : buckets_[hash & (buckets_.size() - 1)];
  }
  void insert(T* object, std::uint64_t hash) {
    if (size_ >= buckets_.size()) grow();
    object->hash = hash;
    link(object);
    ++size_;
  }
  void remove(T* object) {
    for (T** at = &buckets_[object->hash & (buckets_.size() - 1)]; *at != nullptr;
         at = &(*at)->chain)
      if (*at == object) {
        *at = object->chain;
        object->chain = nullptr;
        --size_;
        return;
      }
  }
  std::size_t size() const { return size_; }
  template <typename F>
  void for_each(F visit) const {  // `visit` must not change the table
    for (T* object : buckets_)
      for (; object != nullptr; object = object->chain) visit(object);
  }

 private:
  void link(T* object) {
    T*& bucket = buckets_[object->hash & (buckets_.size() - 1)];
    object->chain = bucket;
    bucket = object;
  }
  void grow() {
    std::vector<T*> old(buckets_.empty() ? 16 : buckets_.size() * 2);
    old.swap(buckets_);
    for (T* object : old)
      while (object != nullptr) {
        T* next = object->chain;
        link(object);
        object = next;
      }
  }

  std::vector<T*> buckets_;
  std::size_t size_ = 0;
};

}  // namespace minke::netd
